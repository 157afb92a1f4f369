"""Whether the user's own features keep to the past, tried on the user's own data."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from patronage.features.customer_tables import CustomerTables, EndKnown, customer_tables
from patronage.features.own_family import OWN
from patronage.features.own_feature import OwnFeature
from patronage.features.own_tables import as_of_days, with_features
from patronage.features.panel import panel_of
from patronage.features.seen import cut

CLOSE = 1e-9
RANGES = {"share": (0.0, 1.0), "count": (0.0, np.inf), "days": (0.0, np.inf)}


def check_own_features(
    sources: Mapping[str, Any],
    features: Sequence[OwnFeature],
    *,
    cutoffs: Sequence[date],
    end_known: EndKnown = "at_end",
) -> list[str]:
    """What is wrong with these features, one sentence each; empty if nothing is.

    Each is computed as of each cutoff from all data, from the data that were there at that day, and
    of a third of the customers at a time; the values must be equal to 1e-9. They must also be what
    the declaration says: null only where it says when, and in the range of the unit.

    Parameters
    ----------
    sources
        Table -> all its rows, as for `customer_tables`; transactions at least.
    features
        Those that need another table are passed over.
    cutoffs
        The days `as_of`; after the first purchase of some customer.
    end_known
        As for `customer_tables`.

    Raises
    ------
    DataError, SettingsError
        If a feature cannot be computed at all; the message names it.
    """
    whole = with_features(customer_tables(**sources, end_known=end_known), features)
    if not whole.own:
        return []
    all_data = _panel(whole, cutoffs)
    third = _panel(whole, cutoffs, chunk_customers=len(whole.days) // 3 + 1)
    parts = []
    for as_of in cutoffs:
        before = {
            name: cut(table, name, as_of=as_of, end_known=end_known)
            for name, table in sources.items()
        }
        known = with_features(customer_tables(**before, end_known=end_known), features)
        parts.append(_panel(known, [as_of]))
    past = pd.concat(parts).sort_values(["customer_id", "as_of"]).reset_index(drop=True)
    return [fault for own in whole.own for fault in _faults(own, all_data, past, third)]


def _panel(tables: CustomerTables, cutoffs: Sequence[date], **arguments: Any) -> pd.DataFrame:
    """The own features alone, texts as plain text."""
    panel = panel_of(as_of_days(tables, cutoffs), [OWN], cutoffs=cutoffs, **arguments)
    texts = panel.select_dtypes("category").columns
    plain = panel.astype(dict.fromkeys(texts, object))
    return plain.sort_values(["customer_id", "as_of"]).reset_index(drop=True)


def _faults(
    own: OwnFeature, table: pd.DataFrame, past: pd.DataFrame, third: pd.DataFrame
) -> Iterator[str]:
    ahead = _differ(table[own.name], past[own.name])
    if ahead.any():
        yield (
            f"{own.place} looks ahead: {_which(table, past, own.name, ahead)} from the data of "
            "before that day. Use what sees the past alone, such as grid.total, grid.latest and "
            "grid.over(...), not grid.table as a whole."
        )
    apart = _differ(table[own.name], third[own.name])
    if apart.any():
        yield (
            f"{own.place} depends on who else is computed: {_which(table, third, own.name, apart)} "
            "with a third of the customers at a time. Each row must follow from its own customer."
        )
    yield from _broken_promises(own, table[own.name])


def _broken_promises(own: OwnFeature, values: pd.Series) -> Iterator[str]:
    nulls = int(values.isna().sum())
    if nulls and not own.feature.null:
        yield (
            f"{own.place} is null in {nulls:,} of {len(values):,} rows, and does not say when: "
            'null="without ...", or give such rows a value: empty=0.'
        )
    unit = own.feature.unit
    if unit == "flag" and not values.dropna().isin([0, 1]).all():
        yield f"{own.place} is a flag and has other values than 0 and 1; choose another unit."
    if unit in RANGES:
        low, high = RANGES[unit]
        out = values[(values < low - CLOSE) | (values > high + CLOSE)]
        if len(out):
            yield (
                f"{own.place} is a {unit} and has {len(out):,} of {len(values):,} values out of "
                f"{low:g} to {high:g}, such as {out.iloc[0]:g}; choose another unit."
            )


def _differ(one: pd.Series, other: pd.Series) -> pd.Series:
    if one.dtype == object or other.dtype == object:
        return (one.fillna("") != other.fillna("")) | (one.isna() != other.isna())
    return pd.Series(~np.isclose(one, other, rtol=CLOSE, atol=CLOSE, equal_nan=True))


def _which(table: pd.DataFrame, other: pd.DataFrame, name: str, differ: pd.Series) -> str:
    first = int(np.flatnonzero(differ)[0])
    row = table.iloc[first]
    return (
        f"{int(differ.sum()):,} of {len(table):,} values are others, first for customer "
        f"{row['customer_id']} as of {row['as_of'].date()}: {row[name]}, but {other[name][first]}"
    )
