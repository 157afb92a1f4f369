"""Compilation of loops over arrays: one way for all of them.

What was compiled is kept until its own file changes, so compiled functions call, and use constants
of, their own file only. Import this where kernels are, and these where they are used.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

FLOATS = types.Array(types.float64, 1, "C", readonly=True)
WHOLES = types.Array(types.int64, 1, "C", readonly=True)
NUMBER, WHOLE = types.float64, types.int64


def compiled(*arguments: types.Type, any_order: bool = False) -> Callable[[Kernel], Kernel]:
    """Compile once per machine; other threads run meanwhile, and 1 / 0 is infinite.

    Parameters
    ----------
    *arguments
        Types to compile for when the file is imported, so that read-only arrays out of Arrow do not
        compile a second time; none to compile for those of the first call, which suits kernels that
        few need.
    any_order
        Let sums be taken in several lanes at once.
    """
    lanes = {"reassoc", "contract", "nsz"} if any_order else False
    return cast(
        Callable[[Kernel], Kernel],
        numba.njit(arguments or None, cache=True, nogil=True, error_model="numpy", fastmath=lanes),
    )


def compiled_each(*signatures: tuple[types.Type, ...]) -> Callable[[Kernel], Kernel]:
    """The same for each of several lists of arguments."""
    made = numba.njit(list(signatures), cache=True, nogil=True, error_model="numpy")
    return cast(Callable[[Kernel], Kernel], made)
