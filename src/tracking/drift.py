"""How far the customers of a run are from those that its model was trained on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.tracking.column_profile import ColumnProfile, known_values
from patronage.tracking.reference import Reference
from patronage.tracking.stability import (
    adjusted,
    homogeneity,
    kolmogorov_smirnov,
    population_stability_index,
)

FloatArray = NDArray[np.float64]
FEWEST_CUTOFFS = 4
STEADY = 0.9
"""Spearman's correlation of level and day from which on a feature is on the move with time."""
SLACK = 0.02
UNSEEN_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One column, then and now.

    `usual_psi` is the largest that a single cutoff had against all training rows, the test cutoff
    included: so much moved while the model was found good. `ks` is None for a text, where
    `p_adjusted` is that of chi square. `unseen_share` is the share of the known values that
    training did not hold, beyond the share that was too rare to keep then. `on_course` says that
    the column moved with time throughout training, and goes on as it did; `null_on_course` the
    same of its share of nulls.
    """

    name: str
    kind: str
    importance: float
    psi: float
    usual_psi: float
    ks: float | None
    p_adjusted: float
    median_then: float | None
    median_now: float | None
    null_then: float
    null_low: float
    null_high: float
    null_now: float
    null_p_adjusted: float
    unseen_share: float = 0.0
    unseen: Sequence[str] = ()
    on_course: bool = False
    null_on_course: bool = False

    @property
    def null_change(self) -> float:
        """How far the share of nulls lies outside those of the training cutoffs."""
        return max(self.null_low - self.null_now, self.null_now - self.null_high, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"null_change": self.null_change}


def feature_drift(reference: Reference, features: pd.DataFrame, *, as_of: date) -> list[Drift]:
    """Drift of every input of the model that `features` has, the most important first.

    Parameters
    ----------
    reference
        Of the version that scored them.
    features
        The eligible customers as of one day: the columns of the reference.
    as_of
        That day.
    """
    names = [name for name in reference.columns if name in features]
    found = [_drift(reference, name, features[name], as_of) for name in names]
    return sorted(_corrected(found), key=lambda one: (-one.importance, one.name))


def _corrected(found: Sequence[Drift]) -> list[Drift]:
    """The same with p-values that allow for so many features."""
    p_values = adjusted(np.array([one.p_adjusted for one in found]))
    null_p = adjusted(np.array([one.null_p_adjusted for one in found]))
    return [
        replace(one, p_adjusted=float(p), null_p_adjusted=float(of_nulls))
        for one, p, of_nulls in zip(found, p_values, null_p, strict=True)
    ]


def score_drift(reference: Reference, p_churn: pd.Series, *, as_of: date) -> Drift:
    """Drift of p_churn against the test customers of training; one test, nothing to correct."""
    profile, n_then = reference.scores, reference.score_rows
    drift = _compared("p_churn", profile, p_churn, rows=n_then, independent=n_then)
    return _beside_the_cutoffs(drift, reference, profile, p_churn, as_of)


def _drift(reference: Reference, name: str, column: pd.Series, as_of: date) -> Drift:
    profile = reference.columns[name]
    drift = _compared(name, profile, column, rows=reference.rows, independent=reference.customers)
    weighed = replace(drift, importance=reference.importance.get(name, 0.0))
    return _beside_the_cutoffs(weighed, reference, profile, column, as_of)


def _beside_the_cutoffs(
    drift: Drift, reference: Reference, profile: ColumnProfile, column: pd.Series, as_of: date
) -> Drift:
    """The same with what single cutoffs of training were like."""
    days, cutoffs = reference.cutoffs, profile.cutoffs
    nulls = [one.null_share for one in cutoffs]
    levels = [one.level for one in cutoffs]
    return replace(
        drift,
        usual_psi=max((one.psi for one in cutoffs), default=0.0),
        null_low=min([*nulls, profile.null_share]),
        null_high=max([*nulls, profile.null_share]),
        on_course=follows_course(levels, days, profile.level(column), as_of),
        null_on_course=follows_course(nulls, days, drift.null_now, as_of),
    )


def _compared(
    name: str, profile: ColumnProfile, column: pd.Series, *, rows: int, independent: int
) -> Drift:
    """A column against its profile; the customers of training are the independent rows there."""
    now, shares = profile.counts(column), profile.bin_shares
    if profile.kind == "text":
        ks, p = None, homogeneity(shares[:-1] * independent, now[:-1])
    else:
        ks, p = kolmogorov_smirnov(profile, column, n_then=independent)
    unseen_share, unseen = _unseen(profile, column) if profile.kind == "text" else (0.0, ())
    return Drift(
        name=name,
        kind=profile.kind,
        importance=0.0,
        psi=population_stability_index(shares * rows, now),
        usual_psi=0.0,
        ks=ks,
        p_adjusted=p,
        median_then=_median_then(profile),
        median_now=_median_now(profile, column),
        null_then=profile.null_share,
        null_low=profile.null_share,
        null_high=profile.null_share,
        null_now=float(now[-1] / max(now.sum(), 1.0)),
        null_p_adjusted=homogeneity(_null_or_not(shares * independent), _null_or_not(now)),
        unseen_share=unseen_share,
        unseen=unseen,
    )


def follows_course(
    levels: Sequence[float | None], cutoffs: Sequence[date], now: float | None, as_of: date
) -> bool:
    """Whether something that moved with time in training still follows the same course.

    Tenure grows as a business ages: such a column drifts by nature. Its level at the cutoffs, in
    order, correlates with the day by `STEADY` or more, and now lies between the last level and the
    line through all of them, give or take the largest distance of a cutoff from that line.

    Parameters
    ----------
    levels
        A figure of each cutoff, None where it is not known.
    cutoffs
        Their days.
    now
        The same figure as of `as_of`.
    as_of
        A later day.
    """
    known = np.array([level is not None for level in levels], dtype=bool)
    if now is None or known.sum() < FEWEST_CUTOFFS:
        return False
    from scipy.stats import spearmanr

    days = np.array([(day - as_of).days for day in cutoffs], dtype=float)[known]
    heights = np.array([level for level in levels if level is not None], dtype=float)
    if np.ptp(heights) == 0 or abs(float(spearmanr(days, heights).statistic)) < STEADY:
        return False
    slope, foreseen = np.polyfit(days, heights, 1)
    slack = SLACK + float(np.abs(heights - (foreseen + slope * days)).max())
    low, high = sorted((float(heights[-1]), float(foreseen)))
    return low - slack <= now <= high + slack


def _null_or_not(counts: FloatArray) -> FloatArray:
    return np.array([counts[:-1].sum(), counts[-1]])


def _unseen(profile: ColumnProfile, column: pd.Series) -> tuple[float, tuple[str, ...]]:
    known = known_values(column)
    other = known[~known.isin(list(profile.shares))].value_counts()
    rare_then = max(1 - sum(profile.shares.values()), 0.0)
    share = other.sum() / max(len(known), 1) - rare_then
    return max(float(share), 0.0), tuple(map(str, other.index[:UNSEEN_SHOWN]))


def _median_then(profile: ColumnProfile) -> float | None:
    if profile.kind == "text" or profile.null_share == 1:
        return None
    return float(profile.values[int(np.searchsorted(np.asarray(profile.cumulative), 0.5 - 1e-9))])


def _median_now(profile: ColumnProfile, column: pd.Series) -> float | None:
    known = known_values(column) if profile.kind == "number" else column.iloc[:0]
    return float(known.median()) if len(known) else None
