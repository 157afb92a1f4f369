"""What a churn model goes by: how much worse it does without, on customers it was not trained on.

A column is made useless by giving each customer the value of another. Features that say the same
stand in for each other, so that single ones look small; whole families tell more.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.churn import P_NO_PURCHASE, ChurnModel
from patronage.models.evaluation import log_losses

START_FAMILY = "value_model"
MOST_ROWS = 5_000
REPEATS = 5
SECONDS = 30.0
SINGLE = 12


@dataclass(frozen=True)
class Importance:
    """What the log loss rises by, in nats, when these columns are permuted together.

    `spread` is the standard deviation over the repeats, 0 where there is but one.
    """

    name: str
    columns: tuple[str, ...]
    increase: float
    spread: float


@dataclass(frozen=True)
class Importances:
    """Importance of families and of single features, each the greatest first.

    Attributes
    ----------
    rows, of
        Of so many test customers, so many were drawn.
    repeats
        Permutations of each; fewer than asked for where the time was over.
    log_loss
        Of the rows as they are.
    """

    rows: int
    of: int
    repeats: int
    log_loss: float
    families: tuple[Importance, ...]
    features: tuple[Importance, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def permutation_importance(
    model: ChurnModel,
    test: pd.DataFrame,
    families: Mapping[str, str],
    *,
    rows: int = MOST_ROWS,
    repeats: int = REPEATS,
    seconds: float = SECONDS,
    single: int = SINGLE,
    seed: int = 0,
) -> Importances:
    """Permutation importance out of time [1]_.

    Parameters
    ----------
    model
        Fitted.
    test
        Rows of a cutoff that the model has not seen, with `churned`.
    families
        The family of each feature of the model. P(no purchase), from which the trees start, is a
        family of its own, `value_model`; it is held while features are permuted, although it was
        computed from some of them.
    rows, repeats, seconds
        Bounds of the work. A round of repeats that has begun is ended.
    single
        So many features, those that the trees gain most by, are permuted one by one.

    References
    ----------
    .. [1] Breiman (2001), Random forests, Machine Learning 45, section 10.
    """
    rng = np.random.default_rng(seed)
    drawn = sample_rows(test, rows, rng)
    whole = _families(model, drawn, families)
    groups = [*whole, *_singles(model, drawn, single)]
    plain = _loss(model, drawn)
    rounds: list[list[float]] = []
    end = time.monotonic() + seconds
    while len(rounds) < repeats and (not rounds or time.monotonic() < end):
        order = rng.permutation(len(drawn))
        rounds.append([_loss(model, permuted(drawn, columns, order)) for _, columns in groups])
    found = _found(groups, np.array(rounds) - plain)
    return Importances(
        rows=len(drawn),
        of=len(test),
        repeats=len(rounds),
        log_loss=plain,
        families=_ranked(found[: len(whole)]),
        features=_ranked(found[len(whole) :]),
    )


def sample_rows(test: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """At most so many rows, drawn without replacement, in their order."""
    if len(test) <= rows:
        return test.reset_index(drop=True)
    drawn = np.sort(rng.choice(len(test), size=rows, replace=False))
    return test.iloc[drawn].reset_index(drop=True)


def permuted(table: pd.DataFrame, columns: Sequence[str], order: NDArray[np.int64]) -> pd.DataFrame:
    """The table with these columns, and no others, in another order of rows."""
    return table.assign(**{name: table[name].array.take(order) for name in columns})


def most_used(model: ChurnModel, count: int) -> list[str]:
    """The features that the trees gain most by, at most so many; none that they do not use."""
    gain = np.asarray(model.booster_.feature_importance("gain"))
    ranked = np.argsort(-gain, kind="stable")[:count]
    return [model.features[place] for place in ranked if gain[place] > 0]


def _families(
    model: ChurnModel, test: pd.DataFrame, families: Mapping[str, str]
) -> list[tuple[str, tuple[str, ...]]]:
    groups: dict[str, list[str]] = {}
    for name in (*_start(model), *model.features):
        family = START_FAMILY if name == P_NO_PURCHASE else families[name]
        groups.setdefault(family, []).append(name)
    return [(name, tuple(columns)) for name, columns in groups.items()]


def _singles(
    model: ChurnModel, test: pd.DataFrame, count: int
) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, (name,)) for name in (*_start(model), *most_used(model, count))]


def _start(model: ChurnModel) -> tuple[str, ...]:
    return (P_NO_PURCHASE,) if P_NO_PURCHASE in model.inputs else ()


def _loss(model: ChurnModel, test: pd.DataFrame) -> float:
    return float(log_losses(test["churned"], model.predict_proba(test)).mean())


def _found(
    groups: Sequence[tuple[str, tuple[str, ...]]], increases: NDArray[np.float64]
) -> list[Importance]:
    spread = increases.std(axis=0, ddof=1) if len(increases) > 1 else np.zeros(len(groups))
    return [
        Importance(name, columns, float(increase), float(sd))
        for (name, columns), increase, sd in zip(
            groups, increases.mean(axis=0), spread, strict=True
        )
    ]


def _ranked(found: Sequence[Importance]) -> tuple[Importance, ...]:
    return tuple(sorted(found, key=lambda one: -one.increase))
