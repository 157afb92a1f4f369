"""A snapshot read for the churn model: features, label, customer, day and value of each row."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from patronage.data.columns import suggestion
from patronage.data.flag_words import FALSE_WORDS, TRUE_WORDS
from patronage.data.snapshot_table import snapshot_table
from patronage.errors import DataError
from patronage.snapshot_settings import SnapshotSection

SECONDS_A_DAY = 86_400
ID_LIKE = 0.5
"""A text of which so large a share of the values are distinct names rows rather than groups."""
FEW_VALUES = 20
"""... unless there are so few of them that they can be groups all the same."""
LABEL, CUSTOMER, DAY, VALUE = "churned", "customer_id", "as_of", "value"
OWN = (LABEL, CUSTOMER, DAY, VALUE, "eligible", "p_churn", "p_no_purchase")
_CLASH = "{} of the snapshot"


@dataclass(frozen=True)
class Snapshot:
    """The rows, and what of them a model may see.

    Attributes
    ----------
    rows
        `customer_id`; `churned`, 0, 1 or NaN where it is not known; `as_of` and `value` where the
        settings name them; and the features.
    features
        Columns of `rows`. A source column that has the name of one of ours is "... of the
        snapshot".
    left_out
        Source columns that are no features, each with the reason.
    """

    rows: pd.DataFrame
    features: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def labelled(self) -> pd.DataFrame:
        """The rows whose label is known, renumbered."""
        rows = self.rows[self.rows[LABEL].notna()].reset_index(drop=True)
        return rows.assign(**{LABEL: rows[LABEL].astype(np.int8)})

    @property
    def unlabelled(self) -> pd.DataFrame:
        """The others."""
        return self.rows[self.rows[LABEL].isna()].reset_index(drop=True)


def read_snapshot(section: SnapshotSection, *, folder: Path) -> Snapshot:
    """Read the snapshot and its label.

    Raises
    ------
    DataError
        If a named column is missing, the label holds other values than the settings say, a customer
        has two rows of one day, or no column is left as a feature; or as `snapshot_table` has it.
    """
    table = snapshot_table(section, folder=folder)
    _refuse_missing(section, table)
    rows = _rows(section, table, label=True)
    named = [*section.leave_out, *_roles(section), section.churned]
    left_out = {name: "named in the settings" for name in section.leave_out}
    candidates = _features(section, table, named)
    for name in candidates:
        reason = _of_no_use(candidates[name])
        if reason:
            left_out[str(name)] = reason
    kept = candidates.drop(columns=[name for name in left_out if name in candidates])
    if not len(kept.columns):
        raise DataError(
            f"[snapshot] {section.source}: no column is left to learn from; "
            f"{len(left_out)} are left out: {', '.join(sorted(left_out))}."
        )
    features = kept.rename(columns=_name)
    names = tuple(str(name) for name in features)
    return Snapshot(pd.concat([rows, features], axis=1), names, left_out)


def read_to_score(section: SnapshotSection, *, folder: Path) -> pd.DataFrame:
    """The rows of `to_score`, with every column that could be a feature; without a label."""
    table = snapshot_table(section, folder=folder, source=section.to_score)
    _refuse_missing(section, table, label=False)
    rows = _rows(section, table, label=False)
    others = _features(section, table, [*_roles(section), section.churned])
    return pd.concat([rows, others.rename(columns=_name)], axis=1)


def digest_of(rows: pd.DataFrame) -> str:
    """SHA-256 of every value of the rows, with their columns and order."""
    found = sha256("\x1f".join(map(str, rows.columns)).encode())
    found.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return found.hexdigest()


def _roles(section: SnapshotSection) -> list[str]:
    """Source columns that are customer, day or nothing else than value."""
    return [name for name in (section.customer_id, section.as_of) if name is not None]


def _name(source: str) -> str:
    return _CLASH.format(source) if source in OWN else source


def _refuse_missing(section: SnapshotSection, table: pd.DataFrame, *, label: bool = True) -> None:
    value = [section.value] if isinstance(section.value, str) else []
    churned = [section.churned, *section.leave_out, *section.features] if label else []
    for name in [*_roles(section), *value, *churned]:
        if name not in table:
            raise DataError(
                f"[snapshot] {section.source} has no column {name!r}. "
                f"{suggestion(name, table.columns)}"
            )
    if not len(table):
        raise DataError(f"[snapshot] {section.source} has no rows.")


def _rows(section: SnapshotSection, table: pd.DataFrame, *, label: bool) -> pd.DataFrame:
    ids = _ids(section, table)
    rows = pd.DataFrame({CUSTOMER: ids}, index=table.index)
    if label:
        rows[LABEL] = _label(section, table[section.churned])
    if section.as_of is not None:
        rows[DAY] = _days(section.as_of, table[section.as_of])
    if section.value is not None:
        named = isinstance(section.value, str)
        rows[VALUE] = _value(table[section.value]) if named else float(section.value)
    _refuse_twice(rows, section)
    return rows


def _ids(section: SnapshotSection, table: pd.DataFrame) -> pd.Series:
    if section.customer_id is None:
        return pd.Series(np.arange(1, len(table) + 1).astype(str), index=table.index, dtype=object)
    column = table[section.customer_id]
    empty = column.isna()
    if empty.any():
        raise DataError(
            f"[snapshot] customer_id: {section.customer_id} is empty in {int(empty.sum()):,} of "
            f"{len(column):,} rows, first in row {int(np.argmax(empty)) + 1:,}."
        )
    if is_numeric_dtype(column):
        return column.map("{:.15g}".format).astype(object)
    return column.astype(str).astype(object)


def _refuse_twice(rows: pd.DataFrame, section: SnapshotSection) -> None:
    keys = [name for name in (CUSTOMER, DAY) if name in rows]
    twice = rows.duplicated(keys)
    if twice.any():
        raise DataError(
            f"[snapshot] {section.source}: {int(twice.sum()):,} rows have a customer "
            f"{'and day ' if DAY in keys else ''}seen before, first customer "
            f"{rows.loc[twice, CUSTOMER].iloc[0]!r}. Bring one row per customer"
            f"{'' if DAY in keys else ', or name the day of each row: [snapshot] as_of'}."
        )


def _label(section: SnapshotSection, column: pd.Series) -> pd.Series:
    """1, 0 or NaN where it is not known."""
    words = column.map(lambda value: None if _is_empty(value) else _word(value))
    yes = {_word(value) for value in section.yes} or set(TRUE_WORDS)
    no = set(words.dropna()) - yes if section.yes else set(FALSE_WORDS)
    odd = sorted(set(words.dropna()) - yes - no)
    if odd or (section.yes and not yes & set(words.dropna())):
        found = sorted(set(words.dropna()))[:10]
        raise DataError(
            f"[snapshot] churned: {section.churned} holds {', '.join(map(repr, found))}; "
            f"say which of them means that the customer churned: [snapshot] yes = [{found[0]!r}]"
        )
    return words.map({**dict.fromkeys(no, 0.0), **dict.fromkeys(yes, 1.0)}).astype(float)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip().lower()


def _is_empty(value: object) -> bool:
    return value is None or value is pd.NaT or value != value


def _days(name: str, column: pd.Series) -> pd.Series:
    if column.isna().any():
        raise DataError(
            f"[snapshot] as_of: {name} is no day in {int(column.isna().sum()):,} of "
            f"{len(column):,} rows, first in row {int(np.argmax(column.isna())) + 1:,}. Say how it "
            'is written: [snapshot] date_format = "%d/%m/%Y"'
        )
    return column.astype("datetime64[s]")


def _value(column: pd.Series) -> pd.Series:
    bad = column.isna() if is_numeric_dtype(column) else pd.Series(True, index=column.index)
    if bad.any():
        raise DataError(
            f"[snapshot] value: {column.name} is no number in {int(bad.sum()):,} of "
            f"{len(column):,} rows, first in row {int(np.argmax(bad)) + 1:,}."
        )
    return column.astype(float)


def _features(section: SnapshotSection, table: pd.DataFrame, named: list[str]) -> pd.DataFrame:
    """All other columns; a day counts in days before the row's own day, or since 1970."""
    asked = section.features or [str(name) for name in table]
    others = table[[name for name in asked if name not in named and name in table]]
    ends = table[section.as_of] if section.as_of is not None else None
    return others.assign(
        **{
            str(name): _days_back(others[name], ends)
            for name in others
            if is_datetime64_any_dtype(others[name])
        }
    )


def _days_back(column: pd.Series, ends: pd.Series | None) -> pd.Series:
    past = column - pd.Timestamp(0) if ends is None else ends - column
    return past.dt.total_seconds() / SECONDS_A_DAY


def _of_no_use(column: pd.Series) -> str | None:
    """Why nothing can be learnt from the column, if so."""
    known = column.dropna()
    values = known.nunique()
    if not len(known):
        return "empty"
    if values == 1 and len(known) == len(column):
        return "the same in all rows"
    if not is_numeric_dtype(column):
        rare = values > max(FEW_VALUES, ID_LIKE * len(known))
        return "names rows: nearly every value is another" if rare else None
    numbered = values == len(column) > 1 and (known == known.round()).all()
    if numbered and known.max() - known.min() == len(column) - 1:
        return "numbers the rows"
    return None
