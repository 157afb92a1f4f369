"""Where a model is weak: its quality by kind of customer, on rows that it has not seen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from patronage.features.lifecycle import TENURE_STEPS
from patronage.models.evaluation import (
    CLIP,
    calibration_in_the_large,
    calibration_line,
    log_losses,
    ranking_metrics,
)
from patronage.models.metric_intervals import mean_interval, wilson_interval

FEWEST = 30
"""A segment of fewer customers says nothing."""
MOST_CATEGORIES = 8
PURCHASES = (2, 3, 6, 11)
BINS = 5


@dataclass(frozen=True)
class Segment:
    """One kind of customer on the test cutoff.

    Attributes
    ----------
    by, name
        What the customers are divided by, and which of them these are.
    churn_rate, low, high
        Share who left, and its 95 % interval (Wilson).
    mean_predicted
        Mean probability; `off` where it lies outside of that interval, `off_beyond_level` where it
        would even if the level of the whole cutoff were known.
    auc
        None where all left or all stayed; so are `slope` and `intercept` of the calibration.
    log_loss, log_loss_low, log_loss_high
        Mean, and its 90 % interval by bootstrap.
    bins
        The reliability curve in groups of equal size: mean predicted, share who left, low, high.
    """

    by: str
    name: str
    n: int
    churn_rate: float
    low: float
    high: float
    mean_predicted: float
    off: bool
    off_beyond_level: bool
    auc: float | None
    slope: float | None
    intercept: float | None
    log_loss: float
    log_loss_low: float
    log_loss_high: float
    bins: tuple[tuple[float, float, float, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def segments(
    test: pd.DataFrame, p_churn: pd.Series, divisions: Iterable[tuple[str, pd.Series]]
) -> tuple[Segment, ...]:
    """Quality for each kind of customer.

    Parameters
    ----------
    test
        Rows that the model has not seen, with `churned`.
    p_churn
        The probability of each row.
    divisions
        What customers are divided by, and which kind each is of, as categories; null for none.
    """
    odds = logit(np.clip(p_churn.to_numpy(dtype=float), CLIP, 1 - CLIP))
    level = expit(odds + _shift(test["churned"], odds))
    found = [
        _segment(by, str(name), test.loc[rows, "churned"], p_churn[rows], float(level[rows].mean()))
        for by, names in divisions
        for name, rows in _rows(names)
    ]
    return tuple(found)


def customer_divisions(
    test: pd.DataFrame, categories: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, pd.Series]]:
    """By tenure, number of purchases, quartile of spend and each categorical feature.

    Parameters
    ----------
    test
        Rows of a panel; what it lacks is not divided by.
    categories
        The texts among the model's features, as `ChurnModel.categories_`.
    """
    if "T" in test:
        yield "time as a customer", _steps(test["T"], TENURE_STEPS, "days")
    if "frequency" in test:
        yield "purchases so far", _steps(test["frequency"] + 1, PURCHASES, "purchases")
    if "total_spend" in test:
        yield "spend so far", _quartiles(test["total_spend"])
    for name in categories:
        yield name, by_category(test[name])


def by_category(column: pd.Series) -> pd.Series:
    """The most frequent texts of a column as kinds; null for the others."""
    texts = column.astype(object)
    first = texts.value_counts().head(MOST_CATEGORIES).index
    return texts.where(texts.isin(first)).astype("category")


def _steps(values: pd.Series, steps: Sequence[int], unit: str) -> pd.Series:
    """Ordered kinds between steps, such as "2 purchases" and "3 to 5 purchases"."""
    edges = [0, *steps]
    names = [_between(low, high - 1, unit) for low, high in zip(edges, steps, strict=False)]
    places = np.searchsorted(steps, values.to_numpy(dtype=float), side="right")
    return kinds(places, [*names, f"{steps[-1]} {unit} or more"], values.index)


def _between(low: int, high: int, unit: str) -> str:
    low = max(low, 1) if unit == "purchases" else low
    if low == high:
        return f"{low} {unit.removesuffix('s') if low == 1 else unit}"
    return f"{low} to {high} {unit}"


def _quartiles(values: pd.Series) -> pd.Series:
    place = ((values.rank(method="first") - 1) * 4 // max(values.notna().sum(), 1)).astype("Int64")
    names = [f"{which} quarter of spend" for which in ("lowest", "second", "third", "highest")]
    return kinds(place.fillna(-1).to_numpy(dtype=int), names, values.index)


def kinds(places: NDArray[np.integer[Any]], names: Sequence[str], index: pd.Index) -> pd.Series:
    """The name at each place, in the order of the names; none at -1."""
    known: pd.Index = pd.Index(names)
    return pd.Series(pd.Categorical.from_codes(places.tolist(), categories=known), index=index)


def _rows(names: pd.Series) -> Iterator[tuple[Any, NDArray[np.bool_]]]:
    for name in names.cat.categories:
        rows = (names == name).to_numpy(dtype=bool)
        if rows.sum() >= FEWEST:
            yield name, rows


def _shift(churned: pd.Series, odds: NDArray[np.float64]) -> float:
    """What moves all log-odds to the level that came; where all left or stayed, nothing can."""
    return calibration_in_the_large(churned, odds) if churned.nunique() > 1 else 0.0


def _segment(
    by: str, name: str, churned: pd.Series, p_churn: pd.Series, mean_at_level: float
) -> Segment:
    hits, n, mean = float(churned.sum()), len(churned), float(p_churn.mean())
    low, high = _wilson(hits, n)
    losses = log_losses(churned, p_churn)
    loss_low, loss_high = mean_interval(losses)
    both = 0 < hits < n
    slope, intercept = calibration_line(churned, p_churn) if both else (None, None)
    return Segment(
        by=by,
        name=name,
        n=n,
        churn_rate=hits / n,
        low=low,
        high=high,
        mean_predicted=mean,
        off=not low <= mean <= high,
        off_beyond_level=not low <= mean_at_level <= high,
        auc=ranking_metrics(churned, p_churn)["auc"] if both else None,
        slope=slope,
        intercept=intercept,
        log_loss=float(losses.mean()),
        log_loss_low=loss_low,
        log_loss_high=loss_high,
        bins=tuple(_bins(churned, p_churn)),
    )


def _bins(churned: pd.Series, p_churn: pd.Series) -> Iterator[tuple[float, float, float, float]]:
    """Groups of equal size by probability, as large as a segment has to be at least."""
    count = min(BINS, max(len(churned) // FEWEST, 1))
    order = np.argsort(p_churn.to_numpy(), kind="stable")
    for group in np.array_split(order, count):
        y, p = churned.to_numpy(dtype=float)[group], p_churn.to_numpy(dtype=float)[group]
        yield float(p.mean()), float(y.mean()), *_wilson(float(y.sum()), len(y))


def _wilson(hits: float, n: int) -> tuple[float, float]:
    low, high = wilson_interval(np.array([hits]), np.array([n]))
    return float(low[0]), float(high[0])
