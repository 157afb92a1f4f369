"""Random numbers inside compiled loops, from a stream that a key alone decides.

A stream is an array of one uint64, advanced by SplitMix64 [1]_: the draws of a customer do not
depend on who else is in the table, nor on the thread that makes them.

References
----------
.. [1] Steele, Lea & Flood (2014), Fast Splittable Pseudorandom Number Generators, OOPSLA.
.. [2] Marsaglia & Tsang (2000), A Simple Method for Generating Gamma Variables, ACM TOMS 26(3).
.. [3] Hoermann (1993), The Transformed Rejection Method for Generating Poisson Random Variables,
   Insurance: Mathematics and Economics 12(1), algorithm PTRS.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Compiled = TypeVar("Compiled", bound=Callable[..., Any])
Stream: TypeAlias = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
TO_DOUBLE = np.uint64(11)
ULP = 2.0**-53
SMALL_MEAN = 10.0
"""Of a Poisson count; above it rejection is quicker than counting."""


def compiled(function: Compiled) -> Compiled:
    """Compile once per machine; other threads run meanwhile."""
    return cast(Compiled, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


@compiled
def mixed(z: np.uint64) -> np.uint64:
    """Scramble 64 bits: SplitMix64's output function."""
    z = (z ^ (z >> SHIFT_1)) * MIX_1
    z = (z ^ (z >> SHIFT_2)) * MIX_2
    return z ^ (z >> SHIFT_3)


@compiled
def restart(stream: Stream, seed: int, first: int, second: int) -> None:
    """Begin the stream that belongs to a seed and two whole numbers."""
    key = mixed(np.uint64(seed) + GOLDEN)
    key = mixed(key + np.uint64(first) * MIX_1 + GOLDEN)
    stream[0] = mixed(key + np.uint64(second) * MIX_2 + GOLDEN)


@compiled
def uniform(stream: Stream) -> float:
    """Uniform on (0, 1), both excluded."""
    stream[0] += GOLDEN
    return (float(mixed(stream[0]) >> TO_DOUBLE) + 0.5) * ULP


@compiled
def normal(stream: Stream) -> float:
    """Standard normal (Box & Muller)."""
    radius = math.sqrt(-2 * math.log(uniform(stream)))
    return radius * math.cos(2 * math.pi * uniform(stream))


@compiled
def log_gamma_draw(stream: Stream, shape: float) -> float:
    """Logarithm of a draw of Gamma(shape, 1), exact for any shape > 0 [2]_."""
    boost = 0.0
    if shape < 1:
        boost = math.log(uniform(stream)) / shape
        shape += 1
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        z = normal(stream)
        cube = 1 + c * z
        if cube <= 0:
            continue
        cube = cube * cube * cube
        if math.log(uniform(stream)) < 0.5 * z * z + d - d * cube + d * math.log(cube):
            return boost + math.log(d) + math.log(cube)


@compiled
def poisson(stream: Stream, mean: float) -> float:
    """Poisson count, exact for any mean [3]_."""
    if mean < SMALL_MEAN:
        return _counted_poisson(stream, mean)
    root = math.sqrt(mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    safe = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform(stream) - 0.5, uniform(stream)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= safe:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        accept = math.log(v) + math.log(inverse) - math.log(a / (us * us) + b)
        if accept <= k * math.log(mean) - mean - math.lgamma(k + 1):
            return k


@compiled
def _counted_poisson(stream: Stream, mean: float) -> float:
    limit, product, count = math.exp(-mean), uniform(stream), 0.0
    while product > limit:
        count += 1
        product *= uniform(stream)
    return count


@compiled
def trials_to_first(stream: Stream, log_share: float) -> float:
    """Trials up to and with the first success, of probability exp(log_share) each."""
    if log_share < -700:
        return math.inf
    log_failure = math.log1p(-math.exp(log_share))
    return 1 + math.floor(math.log(uniform(stream)) / log_failure)
