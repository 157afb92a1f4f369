"""Expressions of the user's own over tables on Spark: values by customer and cutoff, left there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial, reduce
from operator import or_
from typing import Any

import narwhals as nw

from patronage.data.spark_table import arrow_of
from patronage.features.own_expressions import (
    AS_OF,
    COMPARED,
    by_rows,
    column_of,
    refuse_difference,
    refuse_unfit,
    values_of,
)
from patronage.features.own_feature import OwnFeature

Rows = Callable[..., nw.LazyFrame[Any]]
PREFIX = "own"


def spark_expressions(
    features: Sequence[OwnFeature],
    sources: Mapping[str, Any],
    cutoffs: Sequence[date],
    *,
    end_known: str,
) -> dict[str, Any]:
    """A Spark frame for each table and window: customer_id, as_of, a column for each feature.

    Only the values of a few customers at the last cutoff are computed here: DuckDB must give the
    same.

    Parameters
    ----------
    features
        With a table each, and that in `sources`.
    sources
        Table -> Spark frame.
    cutoffs
        The days `as_of`.
    end_known
        As for `CustomerTables`.

    Raises
    ------
    DataError
        As `expression_values`.
    """
    days, found = sorted(set(cutoffs)), {}
    for one in features:
        refuse_unfit(one, _collector(sources[str(one.table)]), days[0])
    for number, (table, members, rows) in enumerate(by_rows(features, end_known)):
        _compare_some(members, _collector(sources[table]), partial(rows, as_of=days[-1]), days[-1])
        each = _each_day(members, sources[table], rows, days)
        found[f"{PREFIX}{number}"] = reduce(lambda a, b: a.unionByName(b), each)
    return found


def _collector(frame: Any) -> Callable[..., Any]:
    """As `Ledger.collect`: applies a plan on Spark and brings what it gives."""

    def collect(plan: Callable[..., Any]) -> Any:
        result = plan(nw.from_native(frame))
        return None if result is None else arrow_of(result.to_native())

    return collect


def _compare_some(members: list[OwnFeature], source: Any, rows: Rows, as_of: date) -> None:
    some = source(lambda frame: rows(frame).select("customer_id").unique().head(COMPARED))
    if some.num_rows:
        among = reduce(or_, (nw.col("customer_id") == who for who in some[0].to_pylist()))
        there = values_of(members, source, lambda frame: rows(frame).filter(among), as_of)
        refuse_difference(members, source, rows, there)


def _each_day(
    members: list[OwnFeature], frame: Any, rows: Rows, days: Sequence[date]
) -> Iterator[Any]:
    from pyspark.sql import functions as F

    for as_of in days:
        columns = [column_of(one, as_of) for one in members]
        seen_rows = rows(nw.from_native(frame), as_of=as_of)
        values = seen_rows.group_by("customer_id").agg(*columns).to_native()
        yield values.withColumn(AS_OF, F.lit(as_of))
