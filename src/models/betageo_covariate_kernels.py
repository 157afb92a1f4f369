"""BG/NBD's compiled loop over customers with covariates; imported where it is used."""

import math

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import FLOATS, NUMBER, WHOLES, compiled
from patronage.models.rfm_input import FloatArray


@compiled(*[FLOATS] * 5, WHOLES, NUMBER, FLOATS, NUMBER, FLOATS)
def set_sums(
    share: FloatArray,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    chances: FloatArray,
    label: NDArray[np.int64],
    r: float,
    alphas: FloatArray,
    a: float,
    bs: FloatArray,
) -> FloatArray:
    """Weighted sums over the rows of each set of covariates, without Gamma(r+x) / Gamma(r).

    Columns: the log-likelihood, its slopes by ln r, ln alpha, ln a, ln b, and the second
    derivatives rr, r alpha, ra, rb, alpha alpha, alpha a, alpha b, aa, ab, bb.
    """
    sums = np.zeros((alphas.size, 15))
    own = np.empty(15)
    for i in range(x.size):
        alpha, b = alphas[label[i]], bs[label[i]]
        f = 1.0 / (alpha + T[i])
        grown = math.log1p(T[i] / alpha)
        own[:] = 0.0
        own[0] = -(r + x[i]) * grown - x[i] * math.log(alpha)
        own[1] = own[5] = -r * grown
        own[2] = (r * T[i] - x[i] * alpha) * f
        own[6] = r * T[i] * f
        own[9] = -alpha * T[i] * (r + x[i]) * f * f
        for j in range(int(chances[i])):
            f_b, f_ab = 1.0 / (b + j), 1.0 / (a + b + j)
            own[0] -= math.log1p(a * f_b)
            own[3] -= a * f_ab
            own[4] += a * b * f_b * f_ab
            own[12] += a * f_ab * (a * f_ab - 1.0)
            own[13] += a * b * f_ab * f_ab
            own[14] += a * b * f_b * f_ab * (1.0 - b * (f_b + f_ab))
        if chances[i] > 0.0:
            earlier = chances[i] - 1.0
            s, f_x, f_b = r + x[i], 1.0 / (alpha + t_x[i]), 1.0 / (b + earlier)
            gap = math.log1p((T[i] - t_x[i]) * f_x)
            log_odds = math.log(a * f_b) + s * gap
            small = math.exp(-abs(log_odds))
            dead = (1.0 if log_odds > 0.0 else small) / (1.0 + small)
            both = small / (1.0 + small) ** 2
            turn = alpha * (T[i] - t_x[i]) * f * f_x
            v_r, v_alpha, v_b = r * gap, -s * turn, -b * f_b
            bend = alpha * s * (T[i] * f * f - t_x[i] * f_x * f_x)
            own[0] += max(log_odds, 0.0) + math.log1p(small)
            own[1] += dead * v_r
            own[2] += dead * v_alpha
            own[3] += dead
            own[4] += dead * v_b
            own[5] += dead * v_r + both * v_r * v_r
            own[6] += both * v_r * v_alpha - dead * r * turn
            own[7] += both * v_r
            own[8] += both * v_r * v_b
            own[9] += dead * bend + both * v_alpha * v_alpha
            own[10] += both * v_alpha
            own[11] += both * v_alpha * v_b
            own[12] += both
            own[13] += both * v_b
            own[14] += both * v_b * v_b - dead * b * earlier * f_b * f_b
        for c in range(15):
            sums[label[i], c] += share[i] * own[c]
    return sums
