"""Panels kept on disk by a digest of all that they depend on, so that a second run reads them."""

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

log = logging.getLogger(__name__)
MANIFEST, PANEL, PARTIAL = "manifest.json", "panel", ".partial"
NAME = re.compile("[0-9a-f]{32}")
READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class PanelCache:
    """A folder of panels; the last used are kept, and none is trusted before it is checked."""

    folder: Path
    keep: int = 3
    """So many panels stay; with 0 each goes when it has been read."""

    @contextmanager
    def panel(self, key: Any, write: Callable[[Path], object]) -> Iterator[Path]:
        """The folder of the panel of a key: found and whole, or else written anew.

        Others who use the cache wait meanwhile. A panel under way has a hidden name; one that was
        altered or damaged is thrown away.

        Parameters
        ----------
        key
            All that the panel depends on, as JSON can hold it.
        write
            Writes the panel to a folder that does not exist.
        """
        digest = hashlib.blake2b(_text(key).encode(), digest_size=16).hexdigest()
        entry = self.folder / digest
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            self._clear_partial()
            if self._is_whole(entry):
                log.info("the panel is read from the cache: %s", entry)
            else:
                self._make(entry, key, write)
                log.info("the panel is computed%s", f" and kept: {entry}" if self.keep else "")
            os.utime(entry)
            self._prune(max(self.keep, 1))
            try:
                yield entry / PANEL
            finally:
                self._prune(self.keep)

    def _is_whole(self, entry: Path) -> bool:
        if not entry.exists():
            return False
        fault = _fault(entry)
        if fault:
            log.warning("the cached panel %s is made anew: %s", entry, fault)
            shutil.rmtree(entry)
        return not fault

    def _make(self, entry: Path, key: Any, write: Callable[[Path], object]) -> None:
        partial = self.folder / f"{PARTIAL}-{entry.name}"
        partial.mkdir()
        try:
            write(partial / PANEL)
            manifest = {"key": key, "files": _files(partial / PANEL)}
            (partial / MANIFEST).write_text(_text(manifest), encoding="utf-8")
            partial.rename(entry)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def _prune(self, keep: int) -> None:
        entries = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name)]
        for old in sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)[::-1][keep:]:
            shutil.rmtree(old)

    def _clear_partial(self) -> None:
        for path in self.folder.glob(f"{PARTIAL}-*"):
            shutil.rmtree(path)


def _fault(entry: Path) -> str:
    """What is wrong with a panel of the cache; empty if it is as it was written."""
    try:
        expected = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))["files"].items()
        found = _files(entry / PANEL)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its manifest or a file cannot be read ({error})"
    changed = sorted(expected ^ found.items())
    return f"{changed[0][0]} is not as it was written" if changed else ""


def _files(folder: Path) -> dict[str, str]:
    """Digest of each file, by its name in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _file_digest(path) for path in paths}


def _file_digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, sort_keys=True, default=str)
