"""Progress bars on long work, when there is a terminal to show them on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from patronage.models.churn_tuning import Progress


@contextmanager
def reading_progress() -> Iterator[Callable[[str], None]]:
    """A turning wheel with the table that is read; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda table: None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda table: status.update(f"reading {table}")


@contextmanager
def tuning_progress(trials: int) -> Iterator[Progress | None]:
    """A bar over the trials of the search with the best loss so far; None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("tuning", total=trials)
        yield lambda done, best: bar.update(
            task, completed=done, description=f"tuning, best log loss {best:.4f}"
        )
