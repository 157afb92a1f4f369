"""How the Pareto/NBD is fitted: groups, start, and what the optimum means where there is none."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from patronage.models.covariate_effects import Sets, unbounded, without_covariates
from patronage.models.fitting import Likelihood, Optimum, maximise
from patronage.models.groups import TimingGroups
from patronage.models.paretonbd_likelihood import ParetoNBDLikelihood
from patronage.models.rfm_input import FloatArray

Objective: TypeAlias = Callable[[Likelihood, float], Likelihood]
"""What is maximised, of a likelihood and the number of customers."""
EXTREME = 1e4
"""A parameter pair beyond this (in units of the longest T) has no spread left to speak of."""
FEW = 30
"""Repeat customers below which a failed fit is put down to their number."""


def best_fit(
    groups: TimingGroups,
    objective: Objective,
    sets: Sets | None = None,
    near: FloatArray | None = None,
) -> Optimum:
    """Where the objective is largest; effects start from none, at the best fit without them."""
    start = _start(groups) if near is None else near
    if sets is None:
        return maximise(objective(ParetoNBDLikelihood(groups), groups.customers), start)
    plain = best_fit(without_covariates(groups), objective)
    first = np.append(plain.log_params, np.zeros(2 * sets.covariates.shape[1]))
    return maximise(objective(ParetoNBDLikelihood(groups, *sets), groups.customers), first)


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
    found += unbounded(optimum, names, sets)
    cause = "; ".join(found) or "the likelihood has no clear peak"
    advice = " Take more customers or a longer history." if few[0] else ""
    return (
        "The best estimate of Pareto/NBD lies at a limit on these "
        f"{groups.customers:,.10g} customers ({repeaters:,.10g} with a repeat purchase): {cause}. "
        f"Predictions are those of this limit and can be used; it has no standard errors.{advice}"
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
