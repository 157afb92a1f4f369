"""One column of the training rows in a few numbers: enough to compare later rows with it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.panel_matrix import MOST_VALUES, is_text

FloatArray = NDArray[np.float64]
GRID = 100
BINS = 10
FREQUENT = 0.01
"""A text's value of so large a share of the rows has a bin of its own; others share one."""


@dataclass(frozen=True)
class CutoffProfile:
    """How one cutoff's rows stood to all training rows.

    `psi` is the population stability index between them, `level` the chance that a row of the
    cutoff exceeds one of all (ties count half; 0.5: no different; None for a text), `null_share`
    its share of nulls.
    """

    psi: float
    level: float | None
    null_share: float


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """What a column held in training.

    Parameters
    ----------
    kind
        "number" or "text".
    null_share
        Share of rows without a value.
    values, cumulative
        Of a number: at most `GRID` of its values, increasing, among them its percentiles, and the
        share of the known values that are no larger; the last is 1.
    shares
        Of a text: its values, at most `MOST_VALUES`, each with its share of the known ones.
    cutoffs
        One for each cutoff of the reference, in its order.
    """

    kind: Literal["number", "text"]
    null_share: float
    values: Sequence[float] = ()
    cumulative: Sequence[float] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    cutoffs: Sequence[CutoffProfile] = ()

    @classmethod
    def of(cls, column: pd.Series) -> Self:
        """The profile of a column; infinite numbers count as null."""
        known = known_values(column)
        null_share = 1 - len(known) / len(column) if len(column) else 0.0
        if is_text(column):
            counts = known.value_counts()
            ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            shares = {str(value): n / len(known) for value, n in ranked[:MOST_VALUES]}
            return cls(kind="text", null_share=null_share, shares=shares)
        ordered = np.sort(known.to_numpy(dtype=float))
        values = _grid(ordered)
        cumulative = np.searchsorted(ordered, values, side="right") / max(len(ordered), 1)
        return cls(
            kind="number",
            null_share=null_share,
            values=values.tolist(),
            cumulative=cumulative.tolist(),
        )

    @property
    def edges(self) -> FloatArray:
        """Of a number: the upper ends of all bins but the last, at most nine: its deciles."""
        values, cumulative = np.asarray(self.values), np.asarray(self.cumulative)
        tenths = np.arange(1, BINS) / BINS
        places = np.unique(np.searchsorted(cumulative, tenths - 1e-12))
        return values[places[places < len(values) - 1]]

    @property
    def frequent(self) -> list[str]:
        """Of a text: the values that have a bin of their own."""
        return [value for value, share in self.shares.items() if share >= FREQUENT]

    @property
    def bin_shares(self) -> FloatArray:
        """Share of all training rows in each bin; see `counts`."""
        known = 1 - self.null_share
        if self.kind == "text":
            listed = np.array([self.shares[value] for value in self.frequent], dtype=float)
            others = max(1 - float(listed.sum()), 0.0)  # shares of a third each add up to more
            return np.array([*listed * known, others * known, self.null_share])
        below = np.searchsorted(np.asarray(self.values), self.edges)
        cumulative = np.array([0.0, *np.asarray(self.cumulative)[below], 1.0])
        return np.array([*np.diff(cumulative) * known, self.null_share])

    def counts(self, column: pd.Series) -> FloatArray:
        """Rows of another column in each of this profile's bins.

        The bins of a number end at its deciles, those of a text are its frequent values and, last
        but one, all others; nulls are the last bin of both.
        """
        known = known_values(column)
        if self.kind == "text":
            by_value = known.value_counts()
            listed = by_value.reindex(self.frequent, fill_value=0).to_numpy(dtype=float)
            found = [*listed, len(known) - listed.sum()]
        else:
            bins = np.searchsorted(self.edges, known.to_numpy(dtype=float), side="left")
            found = [*np.bincount(bins, minlength=len(self.edges) + 1)]
        return np.array([*found, len(column) - len(known)], dtype=float)

    def level(self, column: pd.Series) -> float | None:
        """Chance that a value of another column exceeds one of this, to the width of the bins."""
        counts = self.counts(column)[:-1]
        if self.kind == "text" or not counts.sum():
            return None
        shares = self.bin_shares[:-1] / max(1 - self.null_share, 1e-12)
        middles = np.cumsum(shares) - shares / 2
        return float(middles @ counts / counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """For JSON; shares keep six digits."""
        return {
            **asdict(self),
            "cumulative": [round(share, 6) for share in self.cumulative],
            "shares": {value: round(share, 6) for value, share in self.shares.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The profile that `to_dict` described."""
        cutoffs = [CutoffProfile(**one) for one in content["cutoffs"]]
        return cls(**{**content, "cutoffs": cutoffs})


def known_values(column: pd.Series) -> pd.Series:
    """The values that are there: texts as text, numbers finite."""
    if is_text(column):
        return column.dropna().astype(str)
    numbers = column.astype(float)
    return numbers[np.isfinite(numbers)]


def _grid(ordered: FloatArray) -> FloatArray:
    """The percentiles among sorted values, each once; 0 where there is none."""
    if not len(ordered):
        return np.zeros(1)
    places = np.ceil(np.arange(1, GRID + 1) / GRID * len(ordered)).astype(int) - 1
    return np.unique(ordered[places])
