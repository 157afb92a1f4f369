"""Effects of covariates on the two scales of a purchase model: how they are fitted and reported.

A customer with covariates z has the logarithms of the second and of the fourth parameter lowered by
z @ effects, one list of effects for each; the effects come after the four parameters.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.errors import DataError
from patronage.models.covariates import Scaled
from patronage.models.fitting import Evaluation, Optimum
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.rfm_input import FloatArray, Rfm

FARTHEST = 250.0
"""Log-parameters beyond this are refused, so that their products stay finite."""
LARGEST_EFFECT = 12.0
"""In logarithms, over the covariate's range: nobody's rates differ that much."""
LARGEST_LOG = 600.0
SECOND = np.array([[5, 6, 7, 8], [6, 9, 10, 11], [7, 10, 12, 13], [8, 11, 13, 14]])
"""Where a table keeps the second derivatives by each two of the four log-parameters."""


class Sets(NamedTuple):
    """Distinct sets of covariates, and which each group of customers has."""

    label: NDArray[np.intp]
    covariates: FloatArray


class Design(NamedTuple):
    """How one of a customer's four log-parameters follows from those that are estimated."""

    places: NDArray[np.intp]
    rows: FloatArray
    """One row per set of covariates."""


def designs(covariates: FloatArray) -> list[Design]:
    """Of the four log-parameters, for each set of covariates."""
    sets, count = covariates.shape
    one = np.ones((sets, 1))
    shifted = np.hstack([one, -covariates])
    effects = 4 + np.arange(2 * count).reshape(2, count)
    return [
        Design(np.array([0]), one),
        Design(np.append(1, effects[0]), shifted),
        Design(np.array([2]), one),
        Design(np.append(3, effects[1]), shifted),
    ]


def own_parameters(params: FloatArray, design: list[Design]) -> FloatArray:
    """The four log-parameters of each set."""
    return np.column_stack([each.rows @ params[each.places] for each in design])


def by_estimated(value: float, sums: FloatArray, design: list[Design], size: int) -> Evaluation:
    """Derivatives by the `size` parameters that are estimated.

    `sums` has a row per set: the value, 4 slopes and 10 second derivatives by its own four.
    """
    gradient, hessian = np.zeros(size), np.zeros((size, size))
    for i, one in enumerate(design):
        gradient[one.places] = sums[:, 1 + i] @ one.rows
        for j, other in enumerate(design):
            block = one.rows.T @ (sums[:, SECOND[i, j], None] * other.rows)
            hessian[np.ix_(one.places, other.places)] = block
    return Evaluation(value, gradient, hessian)


def nowhere(size: int) -> Evaluation:
    """What is said of parameters beyond all bounds."""
    return Evaluation(-np.inf, np.full(size, np.nan), np.full((size, size), np.nan))


def add_gamma(log_r: float, reached: FloatArray, sums: FloatArray) -> float:
    """ln(Gamma(r+x) / Gamma(r)) as a product over k < x, exact for any size of r.

    `reached` is the share of customers with more than k repeat purchases. The derivatives are added
    to the first row of `sums`, the value is returned.
    """
    r, k = float(np.exp(log_r)), np.arange(len(reached), dtype=np.float64)
    f = r / (r + k)
    sums[0, 1] += np.sum(reached * f)
    sums[0, 5] += np.sum(reached * f * (1 - f))
    return float(np.sum(reached * np.log(r + k)))


def reached_share(frequency: FloatArray, share: FloatArray) -> FloatArray:
    """Share of customers with more than k repeat purchases, k = 0, 1, ..."""
    counts = np.bincount(frequency.astype(np.intp), share).astype(np.float64)
    reached: FloatArray = np.cumsum(counts[::-1])[::-1][1:]
    return reached


def covariate_groups(
    rfm: Rfm, weights: FloatArray, covariates: FloatArray
) -> tuple[TimingGroups, Sets]:
    """Collapse customers to distinct (frequency, recency, T, covariates)."""
    sets = distinct_rows(*covariates.T)
    distinct = distinct_rows(rfm.frequency, rfm.recency, rfm.T, sets.codes.astype(np.float64))
    count = np.bincount(distinct.codes, weights).astype(np.float64)
    first, count = distinct.first[count > 0], count[count > 0]
    scale = float(rfm.T[first].max())
    groups = TimingGroups(
        rfm.frequency[first], rfm.recency[first] / scale, rfm.T[first] / scale, count, scale
    )
    return groups, Sets(sets.codes[first], covariates[sets.first])


def without_covariates(groups: TimingGroups) -> TimingGroups:
    """The same customers, collapsed to distinct (frequency, recency, T)."""
    distinct = distinct_rows(groups.frequency, groups.recency, groups.T)
    count = np.bincount(distinct.codes, groups.weight).astype(np.float64)
    first = distinct.first
    return TimingGroups(
        groups.frequency[first], groups.recency[first], groups.T[first], count, groups.scale
    )


def unscaled(optimum: Optimum, scaling: Scaled, names: tuple[str, ...]) -> Optimum:
    """The optimum by effects per unit of each covariate, with the scales where all are 0.

    A linear map of the parameters of scaled and centred covariates.

    Raises
    ------
    DataError
        If a scale is no finite number there: covariates far from 0.
    """
    count, shift = len(names), scaling.mean / scaling.spread
    turn = np.diag(np.concatenate([np.ones(4), 1 / scaling.spread, 1 / scaling.spread]))
    turn[1, 4 : 4 + count] = shift
    turn[3, 4 + count :] = shift
    moved = turn @ optimum.log_params
    if np.abs(moved[:4]).max() > LARGEST_LOG:
        far = int(np.argmax(np.abs(shift)))
        raise DataError(
            f"The covariate {names[far]} lies far from 0 (mean {scaling.mean[far]:g}, standard "
            f"deviation {scaling.spread[far]:g}), so that no customer with 0 can be described. "
            "Subtract a typical value from it."
        )
    return optimum._replace(log_params=moved, at=_turned(optimum.at, np.linalg.inv(turn)))


def uncentred(optimum: Optimum, scaling: Scaled) -> Optimum:
    """The optimum by scaled effects, with the scales where all covariates are 0, to be profiled."""
    count, shift = len(scaling.mean), scaling.mean / scaling.spread
    back = np.eye(4 + 2 * count)
    back[1, 4 : 4 + count] = -shift
    back[3, 4 + count :] = -shift

    def likelihood(params: FloatArray) -> Evaluation:
        return _turned(optimum.likelihood(back @ params), back)

    log_params = np.asarray(np.linalg.solve(back, optimum.log_params), dtype=np.float64)
    return optimum._replace(
        log_params=log_params, at=_turned(optimum.at, back), likelihood=likelihood
    )


def _turned(at: Evaluation, back: FloatArray) -> Evaluation:
    """Derivatives by the parameters that `back` turns into those they were taken by."""
    return Evaluation(at.value, back.T @ at.gradient, back.T @ at.hessian @ back)


def four_parameters(optimum: Optimum) -> Optimum:
    """The optimum by the first four, the effects adapting."""
    hessian = optimum.at.hessian
    across, effects = hessian[:4, 4:], hessian[4:, 4:]
    adapted = hessian[:4, :4] - across @ np.linalg.pinv(effects) @ across.T
    at = Evaluation(optimum.at.value, optimum.at.gradient[:4], adapted)
    return optimum._replace(log_params=optimum.log_params[:4], at=at)


def unbounded(optimum: Optimum, names: tuple[str, ...], sets: Sets | None) -> list[str]:
    """What to say of the effects that have no finite best estimate."""
    if sets is None:
        return []
    reach = np.ptp(sets.covariates, axis=0)
    effects = np.max(np.abs(optimum.log_params[4:]).reshape(2, -1), axis=0) * reach
    lost = np.array(names)[effects > LARGEST_EFFECT]
    return [f"the effect of {name} has no bound" for name in lost]
