"""Expressions of the user's own, computed as of each cutoff by the engine that holds the table."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial, reduce
from itertools import groupby
from operator import or_
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from patronage.errors import DataError
from patronage.features.own_feature import OwnFeature
from patronage.features.records import Records, read_records
from patronage.features.seen import collect, seen

AS_OF = "as_of"
KEYS = ["customer_id", AS_OF]
COMPARED, SAME = 20, 1e-9
"""Customers whose values an engine that is elsewhere must give as DuckDB does, and how nearly."""


def expression_values(
    features: Sequence[OwnFeature],
    sources: Mapping[str, Any],
    customer_ids: "pd.Index[Any]",
    cutoffs: Iterable[date],
    *,
    end_known: str = "at_end",
) -> Records:
    """One record for each customer and cutoff with rows in a window; its day is the cutoff.

    Parameters
    ----------
    features
        With a table each, and that in `sources`.
    sources
        Table -> any frame Narwhals knows, or a function such as `Ledger.collect`.
    customer_ids
        The customers of the day table, in its order.
    cutoffs
        The days `as_of`.
    end_known
        As for `CustomerTables`.

    Raises
    ------
    DataError
        If an expression does not aggregate, names a column that is not there, gives values of
        another kind than its unit, or cannot be computed; the message names it.
    """
    days = sorted(set(cutoffs))
    for one in features:
        refuse_unfit(one, sources[str(one.table)], days[0])
    found = []
    for table, members, rows in by_rows(features, end_known):
        values = [values_of(members, sources[table], partial(rows, as_of=day), day) for day in days]
        refuse_difference(members, sources[table], partial(rows, as_of=days[-1]), values[-1])
        found.append(pa.concat_tables(values))
    return expression_records(found, customer_ids)


def expression_records(values: Sequence[pa.Table], customer_ids: "pd.Index[Any]") -> Records:
    """One record for each customer and cutoff, out of the values over each table and window."""
    joined = reduce(lambda a, b: a.join(b, KEYS, join_type="full outer"), values)
    return read_records(joined, customer_ids, time=AS_OF, table="own features")


def by_rows(
    features: Sequence[OwnFeature], end_known: str
) -> Iterator[tuple[str, list[OwnFeature], Callable[..., nw.LazyFrame[Any]]]]:
    """The features that look at the same rows: their table, they, and what leaves those rows."""
    for (table, window), some in groupby(sorted(features, key=_rows_of), key=_rows_of):
        yield (
            table,
            list(some),
            partial(seen, table=table, window=window or None, end_known=end_known),
        )


def _rows_of(one: OwnFeature) -> tuple[str, int]:
    """The table and window that it looks at."""
    return str(one.table), one.feature.window or 0


def expression_of(one: OwnFeature, as_of: date) -> nw.Expr:
    """The expression that the function gives.

    Raises
    ------
    DataError
        If the function fails, or gives something else.
    """
    arguments = one.function.__code__.co_argcount
    try:
        given = one.function(*[as_of][:arguments])
    except (Exception, SystemExit) as error:
        raise DataError(f"{one.place} failed: {type(error).__name__}: {error}") from error
    if not isinstance(given, nw.Expr):
        raise DataError(
            f"{one.place} gives {type(given).__name__}; over a table it must give a Narwhals "
            'expression, such as nw.col("amount").sum().'
        )
    return given


def column_of(one: OwnFeature, as_of: date) -> nw.Expr:
    """The expression under its name, as a number or a text."""
    expression = expression_of(one, as_of)
    kind: Any = nw.String if one.feature.unit == "text" else nw.Float64
    return expression.cast(kind).alias(one.name)


def values_of(
    members: list[OwnFeature], source: Any, seen_rows: Callable[[Any], Any], as_of: date
) -> pa.Table:
    """customer_id, as_of and a column for each feature; all of the same types at every cutoff."""
    columns = [column_of(one, as_of) for one in members]
    try:
        found = collect(source, lambda rows: seen_rows(rows).group_by("customer_id").agg(*columns))
    except Exception as error:
        names = ", ".join(one.name for one in members)
        raise DataError(
            f"features {names} of {members[0].source} cannot be computed over "
            f"{members[0].table} as of {as_of}: {_first_line(error)}"
        ) from error
    for place, field in enumerate(found.schema):
        if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
            found = found.set_column(place, field.name, found[field.name].cast(pa.string()))
    day = pa.array([as_of] * found.num_rows, pa.date32()).cast(pa.timestamp("us"))
    return found.append_column(AS_OF, day)


def refuse_difference(
    members: list[OwnFeature], source: Any, seen_rows: Callable[[Any], Any], values: pa.Table
) -> None:
    """Compute some customers again here: Narwhals does not translate all for every engine alike."""
    some = values.slice(0, COMPARED)
    if not callable(source) or not some.num_rows:
        return
    among = reduce(or_, (nw.col("customer_id") == one for one in some["customer_id"].to_pylist()))
    rows = collect(source, lambda rows: seen_rows(rows).filter(among))
    as_of = some[AS_OF][0].as_py().date()
    again = values_of(members, rows, lambda frame: frame, as_of).to_pandas().set_index(KEYS)
    there = some.to_pandas().set_index(KEYS)
    for one in members:
        wrong = [key for key in there.index if _differ(there[one.name][key], again[one.name][key])]
        if wrong:
            raise DataError(
                f"{one.place}: the engine that holds {one.table} gives "
                f"{there[one.name][wrong[0]]} for customer {wrong[0][0]} as of {as_of}, DuckDB "
                f"{again[one.name][wrong[0]]} of the same rows. Narwhals does not translate the "
                "expression alike; write it another way, such as a sum of 1 for a count."
            )


def _differ(there: Any, here: Any) -> bool:
    if pd.isna(there) or pd.isna(here):
        return bool(pd.isna(there) != pd.isna(here))
    if isinstance(there, str):
        return bool(there != here)
    return not math.isclose(there, here, rel_tol=SAME, abs_tol=SAME)


def refuse_unfit(one: OwnFeature, source: Any, as_of: date) -> None:
    """Ask the engine for the kind of the expression, which computes nothing."""
    collect(source, lambda rows: _refuse_kind(one, rows, as_of))


def _refuse_kind(one: OwnFeature, frame: nw.LazyFrame[Any], as_of: date) -> None:
    columns = frame.collect_schema().names()
    try:
        expression = expression_of(one, as_of).alias(one.name)
        kind = frame.group_by("customer_id").agg(expression).collect_schema()[one.name]
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{one.place}: its expression cannot be computed over {one.table}: "
            f"{_first_line(error)} {_advice(error)} {one.table} have "
            f"{', '.join(sorted(columns))}."
        ) from error
    wanted = "text" if one.feature.unit == "text" else "number"
    fits = kind == nw.String if wanted == "text" else kind.is_numeric() or kind == nw.Boolean
    if not fits:
        raise DataError(
            f"{one.place}: its expression gives {kind}, and the unit {one.feature.unit} asks for "
            f"a {wanted}. Change the unit, or turn it into a {wanted}: .dt.total_days(), .cast(...)"
        )


def _advice(error: Exception) -> str:
    if "'filter'" in str(error):
        return (
            'Instead of nw.col("amount").filter(condition).sum(), which not every engine knows, '
            'write nw.when(condition).then(nw.col("amount")).sum().'
        )
    return 'It must make one value of a customer\'s rows, such as nw.col("amount").sum();'


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."
