"""Compilation of loops over customers."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Compiled = TypeVar("Compiled", bound=Callable[..., Any])


def compiled(function: Compiled) -> Compiled:
    """Compile once per machine; other threads run meanwhile.

    What was compiled is kept until its own file changes, so compiled functions call, and use
    constants of, their own file only.
    """
    return cast(Compiled, numba.njit(function, cache=True, nogil=True, error_model="numpy"))
