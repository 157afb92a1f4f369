"""Digests of customer tables and of the code that makes features of them."""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import patronage
from patronage.features.customer_tables import CustomerTables

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
