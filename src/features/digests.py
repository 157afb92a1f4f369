"""Digests of customer tables and of the code that makes features of them."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import patronage
from patronage.features.customer_tables import CustomerTables
from patronage.features.own_feature import OwnFeature

PACKAGES = ("numba", "numpy", "pandas", "pyarrow")
"""Releases that the last bit of a feature may depend on."""
IDS_AT_ONCE = 100_000


def tables_digest(tables: CustomerTables) -> str:
    """Of every value that a feature can see, whatever source, engine and settings it came from."""
    known = {name: getattr(tables, name) for name in _records(tables)}
    digest = hashlib.blake2b(digest_size=32)
    for part in _parts({"days": tables.days, "end_known": tables.end_known, **known}):
        digest.update(part)
    return digest.hexdigest()


def code_digest() -> str:
    """Of the release, the source of the features, and the libraries under them."""
    root = Path(patronage.__file__).parent
    digest = hashlib.blake2b(digest_size=32)
    releases = {name: version(name) for name in PACKAGES}
    digest.update(json.dumps([patronage.__version__, sys.version, releases]).encode())
    for path in sorted([*root.glob("*.py"), *root.glob("features/**/*.py")]):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def own_code(features: Iterable[OwnFeature]) -> list[tuple[str, str]]:
    """Name and digest of what features of the user's own are computed by.

    It is the file that each is written in, and every module at hand that belongs neither to Python
    and its libraries nor to patronage: what a feature imports may change as well.

    Parameters
    ----------
    features
        Those of the tables.
    """
    known = sorted(features, key=lambda one: one.name)
    files = {Path(one.source) for one in known} | (_modules_of_the_user() if known else set())
    code = {path: path.read_bytes() for path in sorted(files) if path.is_file()}
    named = [(one.name, one.digest) for one in known]
    return [*named, *((path.name, hashlib.sha256(text).hexdigest()) for path, text in code.items())]


def _modules_of_the_user() -> set[Path]:
    homes = {Path(home).resolve() for home in (sys.prefix, sys.base_prefix)}
    others = [m for name, m in sys.modules.items() if name.partition(".")[0] != "patronage"]
    files = [getattr(module, "__file__", None) for module in others]
    paths = {Path(file).resolve() for file in files if isinstance(file, str)}
    return {path for path in paths if path.suffix == ".py" and homes.isdisjoint(path.parents)}


def _records(tables: CustomerTables) -> list[str]:
    """The fields that hold tables."""
    return [one.name for one in fields(tables) if hasattr(getattr(tables, one.name), "offsets")]


def _parts(value: Any) -> Iterator[Any]:
    """Bytes that differ where the values do: each begins with what it is and how long."""
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).data.cast("B") if value.size else b""
    elif isinstance(value, pd.Index):
        yield f"ids {len(value)}".encode()
        for start in range(0, len(value), IDS_AT_ONCE):
            yield repr(value[start : start + IDS_AT_ONCE].tolist()).encode()
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}".encode()
        for key in sorted(value):
            yield repr(key).encode()
            yield from _parts(value[key])
    elif is_dataclass(value):
        yield type(value).__name__.encode()
        yield from _parts({one.name: getattr(value, one.name) for one in fields(value)})
    else:
        yield repr(sorted(value) if isinstance(value, frozenset) else value).encode()
