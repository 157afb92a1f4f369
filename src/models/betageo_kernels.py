"""The BG/NBD family's compiled loops over groups of customers; imported where they are used."""

import math

import numpy as np
from numba import types

from patronage.compiling import FLOATS, NUMBER, compiled
from patronage.models.rfm_input import FloatArray

TABLE = types.Array(types.float64, 2, "C", readonly=True)


@compiled(*[FLOATS] * 3, *[NUMBER] * 2, types.int64)
def stage_terms(
    x: FloatArray, t_x: FloatArray, T: FloatArray, r: float, alpha: float, k: int
) -> FloatArray:
    """Q = sum over j < k of (r + k x)_j / j! ((T - t_x) / (alpha + T))^j of each row, as logarithm.

    Its likelihood with regular timing: fewer than k stages were passed since the last purchase.
    Lines: ln Q, slopes by ln r and ln alpha, second derivatives rr, ra, aa.
    """
    terms = np.empty((6, x.size))
    for i in range(x.size):
        s, since, f = r + k * x[i], T[i] - t_x[i], 1.0 / (alpha + T[i])
        term, total, h, h2 = 1.0, 1.0, 0.0, 0.0
        m_j = m_h = m_jj = m_jh = m_hh = 0.0
        for j in range(1, k):
            term *= (s + (j - 1)) / j * since * f
            h += 1.0 / (s + (j - 1))  # slope of ln (s)_j
            h2 += 1.0 / (s + (j - 1)) ** 2
            total += term
            m_j += term * j
            m_h += term * h
            m_jj += term * j * j
            m_jh += term * j * h
            m_hh += term * (h * h - h2)
        m_j, m_h = m_j / total, m_h / total
        left = -alpha * f
        terms[0, i], terms[1, i], terms[2, i] = math.log(total), r * m_h, left * m_j
        terms[3, i] = r * m_h + r * r * (m_hh / total - m_h * m_h)
        terms[4, i] = r * left * (m_jh / total - m_j * m_h)
        terms[5, i] = left * left * (m_jj / total - m_j * m_j) + left * T[i] * f * m_j
    return terms


@compiled(*[FLOATS] * 8, TABLE, *[NUMBER] * 3, types.int64, any_order=True)
def odds_sums(
    share: FloatArray,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    earlier: FloatArray,
    gap: FloatArray,
    log_odds: FloatArray,
    small: FloatArray,
    stages: FloatArray,
    r: float,
    alpha: float,
    b: float,
    k: int,
) -> FloatArray:
    """Weighted sums over rows of the 4 slopes and 10 second derivatives of ln(Q + V).

    By ln r, ln alpha, ln a, ln b. `stages` has Q's derivatives, or no columns where Q = 1; ln V =
    ln a - ln(b + earlier) + (r + k x) gap, gap = ln((alpha + T) / (alpha + t_x)); log_odds =
    ln V - ln Q and small = exp(-|log_odds|).
    """
    g_r = g_alpha = g_a = g_b = 0.0
    h_rr = h_r_alpha = h_ra = h_rb = h_alpha_alpha = h_alpha_a = h_alpha_b = 0.0
    h_aa = h_ab = h_bb = 0.0
    staged = stages.shape[1] > 0
    for i in range(x.size):  # without a branch, so that the rows are worked in packs
        q_r = stages[1, i] if staged else 0.0
        q_alpha = stages[2, i] if staged else 0.0
        q_rr = stages[3, i] if staged else 0.0
        q_ra = stages[4, i] if staged else 0.0
        q_aa = stages[5, i] if staged else 0.0
        n, s = share[i], r + k * x[i]
        f, f_x, f_b = 1.0 / (alpha + T[i]), 1.0 / (alpha + t_x[i]), 1.0 / (b + earlier[i])
        less, more = small[i] / (1.0 + small[i]), 1.0 / (1.0 + small[i])
        gone = more if log_odds[i] > 0.0 else less
        alive, dead = n * (less if log_odds[i] > 0.0 else more), n * gone
        both = alive * gone
        turn = alpha * (T[i] - t_x[i]) * f * f_x
        v_r, v_alpha, v_b = r * gap[i], -s * turn, -b * f_b
        d_r, d_alpha = v_r - q_r, v_alpha - q_alpha
        bend = alpha * s * (T[i] * f * f - t_x[i] * f_x * f_x)
        g_r += dead * v_r + alive * q_r
        g_alpha += dead * v_alpha + alive * q_alpha
        g_a += dead
        g_b += dead * v_b
        h_rr += dead * v_r + alive * q_rr + both * d_r * d_r
        h_r_alpha += alive * q_ra - dead * r * turn + both * d_r * d_alpha
        h_ra += both * d_r
        h_rb += both * d_r * v_b
        h_alpha_alpha += alive * q_aa + dead * bend + both * d_alpha * d_alpha
        h_alpha_a += both * d_alpha
        h_alpha_b += both * d_alpha * v_b
        h_aa += both
        h_ab += both * v_b
        h_bb += both * v_b * v_b - dead * b * earlier[i] * f_b * f_b
    slopes = [g_r, g_alpha, g_a, g_b, h_rr, h_r_alpha, h_ra, h_rb, h_alpha_alpha]
    return np.array(slopes + [h_alpha_a, h_alpha_b, h_aa, h_ab, h_bb])
