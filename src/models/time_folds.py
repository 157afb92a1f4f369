"""Splits of a panel's cutoffs in which training always ends before judging begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Fold:
    """Train on `train`, whose labels are all known at `judge`; judge on `judge`."""

    train: tuple[date, ...]
    judge: date


def mature_at(cutoffs: Sequence[date], *, day: date, label_days: int) -> tuple[date, ...]:
    """The cutoffs whose labels are known on `day`.

    Parameters
    ----------
    cutoffs
        Any order; the answer is sorted.
    day
        The day on which the labels are wanted.
    label_days
        Lead plus horizon: a cutoff's label is known so many days after it.
    """
    return tuple(sorted(c for c in set(cutoffs) if c + timedelta(days=label_days) <= day))


def time_ordered_folds(cutoffs: Sequence[date], *, label_days: int, count: int) -> tuple[Fold, ...]:
    """The newest `count` folds, oldest first; each trains on the cutoffs mature at its judge.

    A label window that reaches past the judging cutoff would tell the future of the very
    customers who are judged, so such cutoffs are left out of that fold's training.
    """
    folds = (
        Fold(train=mature_at(cutoffs, day=judge, label_days=label_days), judge=judge)
        for judge in sorted(set(cutoffs))
    )
    return tuple(fold for fold in folds if fold.train)[-count:]
