"""Compiled sums of the Pareto/NBD log-likelihood, with first and second derivatives.

Customers with one frequency (and one set of covariates) form a chain. The integral over the time
of leaving is tabled, from the last to the first, at the times that occur in the chain; every
customer then takes two look-ups. Derivatives are by (ln r, ln alpha, ln s, ln beta); a row of 15 is
the value, 4 first derivatives and the upper triangle of the second derivatives, by rows.
"""

import numpy as np
from numba import types
from numpy.typing import NDArray

from patronage.compiling import FLOATS, NUMBER, WHOLES, compiled
from patronage.models.paretonbd_panels import COUNTS, NEGLIGIBLE, NODES, WEIGHTS, panel
from patronage.models.rfm_input import FloatArray

MOMENTS = 15
LOG_A, LOG_B, LEFT_A, LEFT_B, GONE = 0, 1, 2, 3, 4
"""Columns at a time t: ln(1 + t/alpha), ln(1 + t/beta), t/(alpha+t), t/(beta+t), the integral."""

ROW = types.Array(types.float64, 1, "C")
TABLE = types.Array(types.float64, 2, "C")


@compiled(ROW, *[NUMBER] * 11)
def _add(
    sums: FloatArray,
    mass: float,
    k: float,
    r: float,
    s: float,
    a: float,
    b: float,
    p: float,
    q: float,
    both_a: float,
    both_b: float,
    left_b: float,
) -> None:
    """One node's share of the integral and of its derivatives."""
    d_r, d_a, d_s, d_b = -r * a, k * p, 1.0 - s * b, s * q - left_b
    sums[0] += mass
    sums[1] += mass * d_r
    sums[2] += mass * d_a
    sums[3] += mass * d_s
    sums[4] += mass * d_b
    sums[5] += mass * (d_r * d_r - r * a)
    sums[6] += mass * (d_r * d_a + r * p)
    sums[7] += mass * d_r * d_s
    sums[8] += mass * d_r * d_b
    sums[9] += mass * (d_a * d_a + k * p * (1.0 - both_a))
    sums[10] += mass * d_a * d_s
    sums[11] += mass * d_a * d_b
    sums[12] += mass * (d_s * d_s - s * b)
    sums[13] += mass * (d_s * d_b + s * q)
    sums[14] += mass * (d_b * d_b + s * q * (1.0 - both_b) - left_b * (1.0 - left_b))


@compiled(ROW, *[NUMBER] * 7)
def _cell(
    sums: FloatArray,
    start: float,
    stop: float,
    x: float,
    r: float,
    alpha: float,
    s: float,
    beta: float,
) -> None:
    """Add up the integral from `start` to `stop` of s/(beta+u) times the chance to be there, quiet.

    That chance is ((alpha+start)/(alpha+u))^(r+x) ((beta+start)/(beta+u))^s.
    """
    sums[:] = 0.0
    k, at, bt = r + x, alpha + start, beta + start
    swapped = beta < alpha
    near, far, near_scale, far_scale = (s, k, bt, at) if swapped else (k, s, at, bt)
    end, y = np.log1p((stop - start) / near_scale), 0.0
    while y < end:
        length, rule = panel(y, end, near, far, near_scale, far_scale)
        here = 0.0
        for j in range(COUNTS[rule]):
            z = y + length * NODES[rule, j]
            u = near_scale * np.expm1(z)
            other = np.log1p(u / far_scale)
            a, b = (other, z) if swapped else (z, other)
            here = np.exp(-k * a - s * b)
            mass = WEIGHTS[rule, j] * length * here * s * (near_scale + u) / (bt + u)
            left_a, left_b = alpha / (at + u), beta / (bt + u)
            p, q = left_a * u / at, left_b * u / bt
            _add(sums, mass, k, r, s, a, b, p, q, alpha / at + left_a, beta / bt + left_b, left_b)
        y += length
        if here <= NEGLIGIBLE * sums[0]:
            break


@compiled(ROW, ROW, *[NUMBER] * 9)
def _survive(
    later: FloatArray,
    earlier: FloatArray,
    k: float,
    r: float,
    s: float,
    a: float,
    b: float,
    p: float,
    q: float,
    both_a: float,
    both_b: float,
) -> None:
    """Add to `earlier` what `later` holds, seen from before an interval passed quietly.

    a, b: how the logarithms of the scales grow over it; p, q: minus their derivatives.
    """
    e = np.exp(-k * a - s * b)
    d_r, d_a, d_s, d_b = -r * a, k * p, -s * b, s * q
    v, v_r, v_a, v_s, v_b = later[0], later[1], later[2], later[3], later[4]
    earlier[0] += e * v
    earlier[1] += e * (v_r + d_r * v)
    earlier[2] += e * (v_a + d_a * v)
    earlier[3] += e * (v_s + d_s * v)
    earlier[4] += e * (v_b + d_b * v)
    earlier[5] += e * (later[5] + 2 * d_r * v_r + (d_r * d_r - r * a) * v)
    earlier[6] += e * (later[6] + d_r * v_a + d_a * v_r + (d_r * d_a + r * p) * v)
    earlier[7] += e * (later[7] + d_r * v_s + d_s * v_r + d_r * d_s * v)
    earlier[8] += e * (later[8] + d_r * v_b + d_b * v_r + d_r * d_b * v)
    earlier[9] += e * (later[9] + 2 * d_a * v_a + (d_a * d_a + k * p * (1.0 - both_a)) * v)
    earlier[10] += e * (later[10] + d_a * v_s + d_s * v_a + d_a * d_s * v)
    earlier[11] += e * (later[11] + d_a * v_b + d_b * v_a + d_a * d_b * v)
    earlier[12] += e * (later[12] + 2 * d_s * v_s + (d_s * d_s - s * b) * v)
    earlier[13] += e * (later[13] + d_s * v_b + d_b * v_s + (d_s * d_b + s * q) * v)
    earlier[14] += e * (later[14] + 2 * d_b * v_b + (d_b * d_b + s * q * (1.0 - both_b)) * v)


@compiled(FLOATS, WHOLES, FLOATS, NUMBER, FLOATS, NUMBER, FLOATS)
def leaving_tables(
    time: FloatArray,
    offsets: NDArray[np.int64],
    frequency: FloatArray,
    r: float,
    alpha: FloatArray,
    s: float,
    beta: FloatArray,
) -> FloatArray:
    """For each time of each chain: its logarithms, and the integral from it to the chain's last.

    Chain c owns the ascending times offsets[c] to offsets[c + 1] - 1, and has its own frequency,
    alpha and beta.
    """
    table = np.zeros((time.size, GONE + MOMENTS))
    for c in range(offsets.size - 1):
        k = r + frequency[c]
        for i in range(offsets[c + 1] - 1, offsets[c] - 1, -1):
            t = time[i]
            table[i, LOG_A], table[i, LOG_B] = np.log1p(t / alpha[c]), np.log1p(t / beta[c])
            table[i, LEFT_A], table[i, LEFT_B] = t / (alpha[c] + t), t / (beta[c] + t)
            if i + 1 == offsets[c + 1]:
                continue
            here, later = table[i], table[i + 1]
            _cell(here[GONE:], t, time[i + 1], frequency[c], r, alpha[c], s, beta[c])
            _survive(
                later[GONE:],
                here[GONE:],
                k,
                r,
                s,
                later[LOG_A] - here[LOG_A],
                later[LOG_B] - here[LOG_B],
                later[LEFT_A] - here[LEFT_A],
                later[LEFT_B] - here[LEFT_B],
                2.0 - later[LEFT_A] - here[LEFT_A],
                2.0 - later[LEFT_B] - here[LEFT_B],
            )
    return table


@compiled(ROW, NUMBER, ROW, ROW, *[NUMBER] * 4)
def _add_row(
    sums: FloatArray,
    w: float,
    quiet: FloatArray,
    t_x: FloatArray,
    x: float,
    r: float,
    s: float,
    log_alpha: float,
) -> None:
    """Logarithm of P(no purchase since t_x), and of the purchases up to t_x."""
    k, A, B, left_a, left_b = r + x, t_x[LOG_A], t_x[LOG_B], t_x[LEFT_A], t_x[LEFT_B]
    inverse = 1.0 / quiet[0]
    d_r, d_a = quiet[1] * inverse, quiet[2] * inverse
    d_s, d_b = quiet[3] * inverse, quiet[4] * inverse
    sums[0] += w * (np.log(quiet[0]) - r * A - x * (log_alpha + A) - s * B)
    sums[1] += w * (d_r - r * A)
    sums[2] += w * (d_a + k * left_a - x)
    sums[3] += w * (d_s - s * B)
    sums[4] += w * (d_b + s * left_b)
    sums[5] += w * (quiet[5] * inverse - d_r * d_r - r * A)
    sums[6] += w * (quiet[6] * inverse - d_r * d_a + r * left_a)
    sums[7] += w * (quiet[7] * inverse - d_r * d_s)
    sums[8] += w * (quiet[8] * inverse - d_r * d_b)
    sums[9] += w * (quiet[9] * inverse - d_a * d_a - k * left_a * (1.0 - left_a))
    sums[10] += w * (quiet[10] * inverse - d_a * d_s)
    sums[11] += w * (quiet[11] * inverse - d_a * d_b)
    sums[12] += w * (quiet[12] * inverse - d_s * d_s - s * B)
    sums[13] += w * (quiet[13] * inverse - d_s * d_b + s * left_b)
    sums[14] += w * (quiet[14] * inverse - d_b * d_b - s * left_b * (1.0 - left_b))


@compiled(TABLE, WHOLES, WHOLES, WHOLES, FLOATS, FLOATS, NUMBER, FLOATS, NUMBER)
def likelihood_sums(
    table: FloatArray,
    chain: NDArray[np.int64],
    last: NDArray[np.int64],
    end: NDArray[np.int64],
    weight: FloatArray,
    frequency: FloatArray,
    r: float,
    alpha: FloatArray,
    s: float,
) -> FloatArray:
    """Per chain, the weighted sum of ln L - ln(Gamma(r+x)/Gamma(r)) and its derivatives.

    Each row of customers has a chain and, as rows of the table, the time of its last purchase and
    the end of its observation.
    """
    sums = np.zeros((frequency.size, MOMENTS))
    stay, quiet = np.zeros(MOMENTS), np.zeros(MOMENTS)
    for row in range(chain.size):
        c, w = chain[row], weight[row]
        x = frequency[c]
        k = r + x
        t_x, T = table[last[row]], table[end[row]]
        for m in range(MOMENTS):
            stay[m] = -T[GONE + m]
            quiet[m] = t_x[GONE + m]
        stay[0] += 1.0
        _survive(
            stay,
            quiet,
            k,
            r,
            s,
            T[LOG_A] - t_x[LOG_A],
            T[LOG_B] - t_x[LOG_B],
            T[LEFT_A] - t_x[LEFT_A],
            T[LEFT_B] - t_x[LEFT_B],
            2.0 - T[LEFT_A] - t_x[LEFT_A],
            2.0 - T[LEFT_B] - t_x[LEFT_B],
        )
        _add_row(sums[c], w, quiet, t_x, x, r, s, np.log(alpha[c]))
    return sums
