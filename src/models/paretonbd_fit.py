"""How the Pareto/NBD is fitted: groups, start, and what the optimum means where there is none."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.errors import DataError
from patronage.models.covariates import Scaled
from patronage.models.fitting import Evaluation, Likelihood, Optimum, maximise
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.paretonbd_likelihood import ParetoNBDLikelihood
from patronage.models.rfm_input import FloatArray, Rfm

Objective: TypeAlias = Callable[[Likelihood, float], Likelihood]
"""What is maximised, of a likelihood and the number of customers."""
EXTREME = 1e4
"""A parameter pair beyond this (in units of the longest T) has no spread left to speak of."""
LARGEST_EFFECT = 12.0
"""In logarithms, over the covariate's range: nobody's rates differ that much."""
LARGEST_LOG = 600.0
FEW = 30
"""Repeat customers below which a failed fit is put down to their number."""


class Sets(NamedTuple):
    """Distinct sets of covariates, and which each group of customers has."""

    label: NDArray[np.intp]
    covariates: FloatArray


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


def best_fit(groups: TimingGroups, objective: Objective, sets: Sets | None = None) -> Optimum:
    """Where the objective is largest; effects start from none, at the best fit without them."""
    start = _start(groups)
    if sets is None:
        return maximise(objective(ParetoNBDLikelihood(groups), groups.customers), start)
    plain = best_fit(_without_covariates(groups), objective)
    first = np.append(plain.log_params, np.zeros(2 * sets.covariates.shape[1]))
    return maximise(objective(ParetoNBDLikelihood(groups, *sets), groups.customers), first)


def unscaled(optimum: Optimum, scaling: Scaled, names: tuple[str, ...]) -> Optimum:
    """The optimum by effects per unit of each covariate, with ln alpha and ln beta where all are 0.

    A linear map of the parameters of scaled and centred covariates.

    Raises
    ------
    DataError
        If alpha or beta is no finite number there: covariates far from 0.
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
    back = np.linalg.inv(turn)
    at = optimum.at
    at = Evaluation(at.value, back.T @ at.gradient, back.T @ at.hessian @ back)
    return optimum._replace(log_params=moved, at=at)


def four_parameters(optimum: Optimum) -> Optimum:
    """The optimum by the first four, the effects adapting."""
    hessian = optimum.at.hessian
    across, effects = hessian[:4, 4:], hessian[4:, 4:]
    adapted = hessian[:4, :4] - across @ np.linalg.pinv(effects) @ across.T
    at = Evaluation(optimum.at.value, optimum.at.gradient[:4], adapted)
    return optimum._replace(log_params=optimum.log_params[:4], at=at)


def diagnosis(
    optimum: Optimum, groups: TimingGroups, names: tuple[str, ...] = (), sets: Sets | None = None
) -> str:
    """Why there is no finite best estimate, and what to do.

    `names` are those of the covariates in `sets`, whose effects come after the four parameters.
    """
    r, alpha, s, beta = np.exp(optimum.log_params[:4])
    repeaters = float(groups.weight[groups.frequency > 0].sum())
    few = (repeaters < FEW, "too few customers")
    found = [text for holds, text in (few, *_limits(r, alpha, s, beta)) if holds]
    if sets is not None:
        reach = np.ptp(sets.covariates, axis=0)
        effects = np.max(np.abs(optimum.log_params[4:]).reshape(2, -1), axis=0) * reach
        lost = np.array(names)[effects > LARGEST_EFFECT]
        found += [f"the effect of {name} has no bound" for name in lost]
    cause = "; ".join(found) or "the likelihood has no clear peak"
    return (
        f"Pareto/NBD has no finite best estimate on these {groups.customers:,.10g} customers "
        f"({repeaters:,.10g} with a repeat purchase): {cause}. Predictions are those of this "
        "limit. Take more customers or a longer history, and check recency and T."
    )


def _limits(r: float, alpha: float, s: float, beta: float) -> list[tuple[bool, str]]:
    left = s * np.log1p(1 / beta)
    never = left < 1 / EXTREME
    return [
        (never, "no dropout can be identified (s/beta -> 0, everyone active)"),
        (r > EXTREME, "no heterogeneity of purchase rates (r and alpha -> infinity)"),
        (
            s > EXTREME and not never,
            "no heterogeneity of the rate of leaving (s and beta -> infinity, "
            f"{s / beta:.3g} in the longest T)",
        ),
        (r < 1 / EXTREME, f"purchase rates are all or nothing (r -> 0, alpha = {alpha:.3g})"),
        (
            beta < 1 / EXTREME and not never,
            "customers leave at once or never (s and beta -> 0)",
        ),
    ]


def _start(groups: TimingGroups) -> FloatArray:
    """The observed mean rate, spread like an exponential; some leave within the longest T."""
    time, repeats = np.sum(groups.weight * groups.T), np.sum(groups.weight * groups.frequency)
    start: FloatArray = np.log(np.array([1.0, time / (repeats or 1.0), 1.0, 0.3]))
    return start


def _without_covariates(groups: TimingGroups) -> TimingGroups:
    distinct = distinct_rows(groups.frequency, groups.recency, groups.T)
    count = np.bincount(distinct.codes, groups.weight).astype(np.float64)
    first = distinct.first
    return TimingGroups(
        groups.frequency[first], groups.recency[first], groups.T[first], count, groups.scale
    )
