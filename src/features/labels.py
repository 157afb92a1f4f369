"""Churn labels: who of the eligible customers did not come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.arrays import day_number
from patronage.features.collect import day_table
from patronage.features.cutoffs import refuse_immature
from patronage.features.grid import Grid

LabelArray = npt.NDArray[np.int8]
UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class ChurnLabels:
    """No purchase in [as_of + lead, as_of + lead + horizon), for each of several horizons.

    They are nested: who did not buy in the longer horizon did not in the shorter. A label that the
    data do not decide by `data_end` is unknown where a shorter horizon's is known; a cutoff at
    which none is known is refused.
    """

    horizons_days: Sequence[int]
    lead_days: int = 0
    data_end: date
    """First day not covered by the data."""

    def __post_init__(self) -> None:
        """Refuse lengths of time that are none."""
        if not self.horizons_days or len(set(self.horizons_days)) < len(self.horizons_days):
            raise SettingsError(
                f"horizons_days={list(self.horizons_days)} must name at least one horizon, and "
                "each once."
            )
        for horizon in self.horizons_days:
            check_lengths(horizon_days=horizon, at_least=1)
        check_lengths(lead_days=self.lead_days, at_least=0)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, such as churned_30; in the order of the horizons."""
        return tuple(f"churned_{horizon}" for horizon in self.horizons_days)

    def refuse_immature(self, cutoffs: Sequence[date]) -> None:
        """Raise DataError naming the cutoffs at which no label is known."""
        refuse_immature(
            cutoffs,
            data_end=self.data_end,
            horizon_days=min(self.horizons_days) + self.decided_after,
            lead_days=self.lead_days,
        )

    def known(self, as_of: date) -> dict[str, bool]:
        """Whether each label is known at a cutoff."""
        decided = self.lead_days + self.decided_after
        ends = (as_of + timedelta(days=decided + horizon) for horizon in self.horizons_days)
        return {name: end <= self.data_end for name, end in zip(self.names, ends, strict=True)}

    @property
    def decided_after(self) -> int:
        """Days after its horizon on which a label is known."""
        return 0

    @property
    def from_words(self) -> str:
        """When the horizon begins, in words that follow its length."""
        return f" from {self.lead_days} days after as_of on" if self.lead_days else " from as_of on"

    def meaning(self, horizon: int) -> str:
        """What the label of a horizon means."""
        return f"1: no purchase in the {horizon} days{self.from_words}; 0: one or more."

    def eligible(self, grid: Grid, active_days: int | None) -> npt.NDArray[np.bool_]:
        """Who has a label: the last purchase lies at most so many days before as_of."""
        return grid.bought_within(active_days)

    def of(self, grid: Grid) -> dict[str, LabelArray]:
        """0, 1 or unknown for each row of the grid, by name."""
        begin = grid.as_of + np.int32(self.lead_days)
        before = grid.purchases_before(begin)
        found = {}
        for name, horizon in zip(self.names, self.horizons_days, strict=True):
            end = begin + np.int32(horizon)
            churned = (grid.purchases_before(end) == before).astype(np.int8)
            churned[end > day_number(self.data_end)] = UNKNOWN
            found[name] = churned
        return found


def churn_labels(
    days: Any,
    *,
    cutoffs: Sequence[date],
    horizon_days: int | None = None,
    horizons_days: Sequence[int] = (),
    lead_days: int = 0,
    data_end: date,
    active_days: int,
) -> pd.DataFrame:
    """1 for an eligible customer without a purchase in [as_of + lead, as_of + lead + horizon).

    Parameters
    ----------
    days
        Customer days: a `DayTable`, or the output of `customer_days`.
    cutoffs
        The days `as_of`.
    horizon_days
        Length of the window without a purchase, > 0. Give this or `horizons_days`.
    horizons_days
        Several such lengths, for a label each.
    lead_days
        Days between `as_of` and the window, >= 0; purchases in them do not matter.
    data_end
        First day not covered by the data: the last day plus one.
    active_days
        Eligible is who bought within so many days before `as_of`.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), then churned (0 or 1); of several horizons churned_30,
        churned_60, ... (Int8), null where the data do not decide the horizon but decide a shorter
        one. The rows are those of `build_panel(..., eligible_only=True)` with the same arguments,
        in the same order.

    Raises
    ------
    DataError
        If no label of a cutoff is known yet at `data_end`; the message names each cutoff and day.
    SettingsError
        If a length of time is out of range, or both or neither of the horizons are given.
    """
    if (horizon_days is None) == (not horizons_days):
        raise SettingsError(
            f"horizon_days={horizon_days} and horizons_days={list(horizons_days)}: give one of the "
            "two."
        )
    check_lengths(active_days=active_days, at_least=1)
    several = (horizon_days,) if horizon_days is not None else tuple(horizons_days)
    labels = ChurnLabels(horizons_days=several, lead_days=lead_days, data_end=data_end)
    labels.refuse_immature(cutoffs)
    grid = Grid.of(day_table(days), cutoffs)
    eligible = grid.where(grid.bought_within(active_days))
    columns = labels.of(eligible)
    if horizon_days is not None:
        (churned,) = columns.values()
        return _keys(eligible).assign(churned=churned)
    return _keys(eligible).assign(
        **{name: pd.arrays.IntegerArray(c, c == UNKNOWN) for name, c in columns.items()}
    )


def _keys(grid: Grid) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "as_of": grid.as_of.astype("datetime64[D]").astype("datetime64[s]"),
        }
    )


def check_lengths(*, at_least: int, **lengths: int) -> None:
    """Raise SettingsError naming a length of time that is too short."""
    for name, value in lengths.items():
        if value < at_least:
            raise SettingsError(f"{name}={value} must be at least {at_least}.")
