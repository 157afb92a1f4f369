"""Which machine a figure was taken on, without anything that names it."""

import os
import platform
from importlib.metadata import version

PACKAGES = (
    "duckdb",
    "lifetimes",
    "lightgbm",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
)


def machine() -> dict[str, object]:
    """Processors, memory and releases."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processors": os.cpu_count(),
        "memory_gib": round(memory),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
