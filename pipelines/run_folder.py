"""The folder that a run leaves: built out of sight, shown whole, `latest` moved last."""

import json
import logging
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import patronage
from patronage.errors import LockError

log = logging.getLogger(__name__)

PARTIAL = ".partial-"
MANIFEST = "manifest.json"
PACKAGES = ("duckdb", "lightgbm", "mlflow", "narwhals", "numba", "numpy", "optuna", "pandas")


@dataclass
class RunFolder:
    """A run under way: its id, the folder it writes to, and what its manifest will say."""

    run_id: str
    path: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[None]:
        """Tell the log that a step begins, and time it; its seconds go into the manifest."""
        log.info("%s ...", f"{name}: {detail}" if detail else name)
        start = time.perf_counter()
        yield
        self.manifest["seconds"][name] = round(time.perf_counter() - start, 3)

    def write_json(self, name: str, content: Any) -> None:
        """Write `content` as name.json; NaN is refused, since it is no JSON."""
        text = json.dumps(content, indent=2, default=str, allow_nan=False, ensure_ascii=False)
        (self.path / name).write_text(text + "\n", encoding="utf-8")


@contextmanager
def run_folder(
    outputs: Path, *, command: str, started_at: datetime, latest: bool = True
) -> Iterator[RunFolder]:
    """Build a run's folder under a hidden name; show it as outputs/<run_id> when all went well.

    `latest` says whether outputs/latest is to point to it then.

    A run that fails or is killed leaves nothing visible; the next one clears what it left hidden.
    A study, which leaves neither scores nor lists, does not move `latest`.

    Raises
    ------
    LockError
        If another run works on the same outputs.
    """
    outputs.mkdir(parents=True, exist_ok=True)
    with outputs_lock(outputs):
        _clear_partial(outputs)
        run_id = _free_run_id(outputs, started_at)
        run = RunFolder(run_id, outputs / f"{PARTIAL}{run_id}")
        run.path.mkdir()
        run.manifest.update(run_id=run_id, command=command, started_at=started_at, seconds={})
        run.manifest["versions"] = versions()
        try:
            yield run
            run.manifest["finished_at"] = datetime.now(UTC)
            run.write_json(MANIFEST, run.manifest)
            run.path = run.path.rename(outputs / run_id)
        finally:
            _clear_partial(outputs)
        if latest:
            _move_latest(outputs, run_id)


@contextmanager
def outputs_lock(outputs: Path) -> Iterator[None]:
    """Hold the lock on an output folder, or say at once who cannot have it."""
    lock = FileLock(outputs / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise LockError(
            f"another run is writing to {outputs}. Wait for it to end, or give this one its own "
            "folder: [run] outputs = ..."
        ) from error
    try:
        yield
    finally:
        lock.release()


def versions() -> dict[str, str]:
    """Releases of Python, patronage and the libraries that its numbers depend on."""
    return {
        "python": platform.python_version(),
        "patronage": patronage.__version__,
        **{name: version(name) for name in PACKAGES},
    }


def latest_run(outputs: Path) -> Path | None:
    """The newest complete run's folder, if there is one."""
    latest = outputs / "latest"
    return latest.resolve() if latest.exists() else None


def read_manifest(folder: Path) -> dict[str, Any]:
    """A run's manifest."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def _free_run_id(outputs: Path, started_at: datetime) -> str:
    stamp = f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    taken = sum(1 for path in outputs.glob(f"{stamp}*") if path.is_dir())
    return f"{stamp}-{taken + 1}" if taken else stamp


def _clear_partial(outputs: Path) -> None:
    for path in outputs.glob(f"{PARTIAL}*"):
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)


def _move_latest(outputs: Path, run_id: str) -> None:
    """Point `latest` at the run in one step: at every moment it names a whole folder."""
    pointer = outputs / f"{PARTIAL}latest"
    pointer.symlink_to(run_id)
    os.replace(pointer, outputs / "latest")
