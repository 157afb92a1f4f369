"""Customers' attributes that do not change over time, as numbers a model can weigh.

Numbers stay numbers; yes/no becomes 0/1; text and categories become one 0/1 column for each level
but the most common. Models see them centred and scaled, so that the unit in which an attribute is
given changes neither the fit nor its path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.errors import DataError, SettingsError
from patronage.models.rfm_input import TIMING, FloatArray, Rfm

COLLINEAR = 1e-8
"""Smallest singular value of the scaled covariates, in units of the largest."""
MANY_LEVELS = 50
HISTORY = ("customer_id", *TIMING, "monetary_value", "log_gap_sum", "as_of")
"""Columns of a customer table that say who she is and what she did, which no attribute may."""


class Covariate(NamedTuple):
    """One attribute: its name, and the levels that have a column; none for a number."""

    name: str
    baseline: str | None
    levels: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        if self.baseline is None:
            return (self.name,)
        return tuple(f"{self.name}={level}" for level in self.levels)


@dataclass(frozen=True, kw_only=True)
class CovariateRfm(Rfm):
    """Customers with their covariates: one row each, coded, neither centred nor scaled."""

    covariates: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "CovariateRfm":
        """Some of the rows."""
        return with_covariates(super().take(rows), self.covariates[rows])


def with_covariates(rfm: Rfm, covariates: FloatArray) -> CovariateRfm:
    """The same customers, and the coded covariates of each."""
    return CovariateRfm(
        customer_id=rfm.customer_id,
        frequency=rfm.frequency,
        recency=rfm.recency,
        T=rfm.T,
        monetary_value=rfm.monetary_value,
        covariates=covariates,
    )


@dataclass(frozen=True)
class CovariateCoding:
    """How attributes become numbers: learned from one table, applied to any other."""

    attributes: tuple[Covariate, ...]

    @classmethod
    def learn(cls, table: nw.DataFrame[Any]) -> Self:
        """Read the kinds and levels of all columns but `customer_id`.

        Raises
        ------
        DataError
            If there is no column, or one holds neither numbers nor levels, or a single one.
        SettingsError
            If a column is part of the history that the model explains.
        """
        names = [name for name in table.columns if name != "customer_id"]
        _refuse_history(names)
        if not names:
            raise DataError(
                "covariates has no column besides customer_id. Leave it out, or add one."
            )
        return cls(tuple(_attribute(table[name]) for name in names))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coded columns, e.g. "age", "channel=web"."""
        return tuple(name for each in self.attributes for name in each.columns())

    def code(self, table: nw.DataFrame[Any]) -> FloatArray:
        """One row per row of the table, one column per coded column.

        Raises
        ------
        DataError
            If a covariate is missing, has no value for a customer, or a level not seen before.
        """
        missing = [each.name for each in self.attributes if each.name not in table.columns]
        if missing:
            raise DataError(
                f"The model was fitted with the covariates {', '.join(missing)}, which the "
                f"customer table lacks; it has {', '.join(table.columns)}. Join them to it "
                "by customer_id."
            )
        blocks = [_coded(each, table[each.name]) for each in self.attributes]
        return np.column_stack(blocks)

    def to_list(self) -> list[list[Any]]:
        """Plain values ready for JSON."""
        return [[each.name, each.baseline, list(each.levels)] for each in self.attributes]

    @classmethod
    def from_list(cls, saved: list[list[Any]]) -> Self:
        """Rebuild from `to_list()`."""
        return cls(tuple(Covariate(name, base, tuple(levels)) for name, base, levels in saved))


class Scaled(NamedTuple):
    """Covariates with mean 0 and standard deviation 1 over the customers fitted."""

    values: FloatArray
    mean: FloatArray
    spread: FloatArray


def scaled(values: FloatArray, weights: FloatArray, columns: Sequence[str]) -> Scaled:
    """Centre and scale the coded covariates.

    Raises
    ------
    DataError
        If one has a single value, or some follow from the others, so that their effects cannot be
        told apart.
    """
    share = weights / weights.sum()
    mean = share @ values
    spread = np.sqrt(share @ (values - mean) ** 2)
    for name, at, width in zip(columns, mean, spread, strict=True):
        if not width > 1e-12 * abs(at):
            raise DataError(
                f"The covariate {name} is {at:g} for every customer, so it has no effect to "
                "estimate. Leave it out."
            )
    unit = (values - mean) / spread
    _, singular, axes = np.linalg.svd(np.sqrt(share)[:, None] * unit, full_matrices=False)
    if singular[-1] < COLLINEAR * singular[0]:
        involved = [name for name, load in zip(columns, axes[-1], strict=True) if abs(load) > 1e-6]
        raise DataError(
            f"The covariates {', '.join(involved)} follow from one another (collinear), so their "
            "effects cannot be told apart. Leave one of them out."
        )
    return Scaled(unit, mean, spread)


def aligned(covariates: Any, ids: "pd.Index[Any]") -> nw.DataFrame[Any]:
    """The covariates of the customers `ids`, in their order.

    Raises
    ------
    DataError
        If it is no table, has customers twice, or lacks some of `ids`.
    """
    if isinstance(covariates, pd.DataFrame):
        frame = covariates.set_index("customer_id") if "customer_id" in covariates else covariates
    else:
        frame = _native(covariates)
    if not frame.index.is_unique:
        again = frame.index[frame.index.duplicated()]
        raise DataError(
            f"covariates repeats customer_id in {len(again):,} rows, first customer {again[0]!r}. "
            "Bring one row per customer."
        )
    lacking = ids[~ids.isin(frame.index)]
    if len(lacking):
        raise DataError(
            f"covariates lacks {len(lacking):,} of {len(ids):,} customers, first customer "
            f"{lacking[0]!r}. Give a row to each, or leave these customers out of the table."
        )
    table: nw.DataFrame[Any] = nw.from_native(frame.loc[ids], eager_only=True)
    return table


def chosen(table: nw.DataFrame[Any], names: Sequence[str]) -> nw.DataFrame[Any]:
    """The columns that are named as covariates.

    Raises
    ------
    SettingsError
        If the names are no list, one is named twice, or is part of the history.
    DataError
        If a column is missing.
    """
    if isinstance(names, str) or len(set(names)) < len(names) or not names:
        raise SettingsError(
            f"covariates={names!r} must be a list of column names, each once, "
            'e.g. ["age", "channel"]; None for a model without.'
        )
    _refuse_history(names)
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise DataError(
            f"covariates names {', '.join(missing)}, which the customer table lacks; it has "
            f"{', '.join(table.columns)}. Join them to it by customer_id."
        )
    return table.select(list(names))


def _refuse_history(names: Sequence[str]) -> None:
    own = [name for name in names if name in HISTORY]
    if own:
        raise SettingsError(
            f"covariates has {', '.join(own)}, which the model explains or takes as given: a "
            "customer's history is no attribute of hers. Leave it out, and name attributes such "
            'as ["age", "channel"].'
        )


def _native(covariates: Any) -> pd.DataFrame:
    try:
        table = nw.from_native(covariates, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"covariates is a {type(covariates).__name__}; pass a pandas, Polars or Arrow table."
        ) from error
    frame: pd.DataFrame = table.to_pandas()
    return frame.set_index("customer_id") if "customer_id" in frame else frame


def _attribute(column: "nw.Series[Any]") -> Covariate:
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return Covariate(column.name, None, ())
    if not isinstance(column.dtype, nw.String | nw.Categorical | nw.Enum | nw.Object):
        raise DataError(
            f"The covariate {column.name} has dtype {column.dtype}, which holds neither numbers "
            "nor levels. Turn it into one of them, e.g. a date into days since a fixed day."
        )
    present = _levels(column).dropna()
    count = present.value_counts().sort_index(kind="stable")
    if len(count) > MANY_LEVELS or count.empty:
        raise DataError(
            f"The covariate {column.name} has {len(count):,} levels; up to {MANY_LEVELS} can be "
            "used. Join rare ones, and turn numbers stored as text into numbers."
        )
    baseline = str(count.idxmax())
    if len(count) == 1:
        raise DataError(
            f"The covariate {column.name} is {baseline!r} for every customer, so it has no effect "
            "to estimate. Leave it out."
        )
    return Covariate(column.name, baseline, tuple(sorted(set(count.index) - {baseline})))


def _levels(column: "nw.Series[Any]") -> "pd.Series[Any]":
    values = column.to_pandas().astype(object)
    return values.where(values.isna(), values.astype(str)).reset_index(drop=True)


def _coded(attribute: Covariate, column: "nw.Series[Any]") -> FloatArray:
    if attribute.baseline is None:
        if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
            raise DataError(
                f"The covariate {attribute.name} was a number in the fit and has dtype "
                f"{column.dtype} here. Give it in the same form."
            )
        values = column.cast(nw.Float64).to_numpy().astype(np.float64)
        _refuse_gaps(attribute.name, ~np.isfinite(values))
        return values[:, None]
    levels = _levels(column)
    _refuse_gaps(attribute.name, levels.isna().to_numpy())
    unknown = sorted(set(levels) - {attribute.baseline, *attribute.levels})
    if unknown:
        raise DataError(
            f"The covariate {attribute.name} has the level {unknown[0]!r}, which no fitted "
            f"customer had; known are {', '.join((attribute.baseline, *attribute.levels))}."
        )
    coded = [(levels == level).to_numpy(dtype=np.float64) for level in attribute.levels]
    return np.column_stack(coded) if coded else np.empty((len(levels), 0))


def _refuse_gaps(name: str, gap: NDArray[np.bool_]) -> None:
    if gap.any():
        raise DataError(
            f"The covariate {name} is missing, NaN or infinite for {int(gap.sum()):,} of "
            f"{len(gap):,} customers, first in row {int(np.argmax(gap))}. Fill it or leave these "
            "customers out."
        )
