"""What a checked table holds, in numbers: for `patronage check`, the manifest and the report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal, Self

import duckdb

from patronage.data.declaration import Column
from patronage.data.typed_rows import Plan
from patronage.data.wording import on_one_line

ProfileKind = Literal["id", "text", "number", "time"]

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
EXACT_ROWS = 5_000_000
"""Quantiles and counts of distinct ids are approximate in tables with more rows."""
TOP = 5
FEWEST = 5
"""An attribute's value that fewer customers have is not shown: it may tell who they are."""


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column of a checked table.

    Attributes
    ----------
    name, kind
        As the table has them; true and false are the numbers 1 and 0.
    rows, nulls
        All rows, and those without a value.
    distinct
        Different values of an id or a text.
    minimum, maximum
        Of numbers; of times as ISO text.
    quantiles
        Of numbers, by probability in percent: "1", "25", "50", "75", "99".
    top
        The most frequent texts with their rows.
    """

    name: str
    kind: ProfileKind
    rows: int
    nulls: int
    distinct: int | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    quantiles: dict[str, float] = field(default_factory=dict)
    top: list[tuple[str, int]] = field(default_factory=list)

    def described(self) -> str:
        """The column in a few words.

        Examples
        --------
        >>> ColumnProfile(name="score", kind="number", rows=8, nulls=2, minimum=0.0, maximum=10.0,
        ...               quantiles={"50": 7.5}).described()
        '0 to 10, median 7.5; 25.0% empty'
        """
        parts = [self._values()] if self.nulls < self.rows else []
        if self.nulls:
            parts.append(f"{self.nulls / self.rows:.1%} empty")
        return "; ".join(parts) or "no rows"

    def _values(self) -> str:
        if self.kind == "number":
            low, high, middle = self.minimum, self.maximum, self.quantiles["50"]
            mark = "" if _are_years(low, high, middle) else ","
            return f"{low:{mark}g} to {high:{mark}g}, median {middle:{mark}g}"
        if self.kind == "time":
            return f"{self.minimum} to {self.maximum}"
        values = "one value" if self.distinct == 1 else f"{self.distinct:,} values"
        if not self.top:
            return values
        known = self.rows - self.nulls
        shown = ", ".join(f"{_short(text)} ({rows / known:.1%})" for text, rows in self.top)
        return f"{values}: {shown}"


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    """A checked table: its kept rows, customers, days and columns.

    Attributes
    ----------
    table
        Its name.
    rows
        Kept.
    customers
        Different ones.
    first_day, last_day
        Of its first column of times, as ISO text; None without one.
    unknown_customers, unknown_rows
        Customers that no transaction has, and their rows.
    covered
        Share of the customers with a transaction that the table has, 0 to 1.
    columns
        All but customer_id.
    """

    table: str
    rows: int
    customers: int
    first_day: str | None
    last_day: str | None
    unknown_customers: int
    unknown_rows: int
    covered: float
    columns: list[ColumnProfile]

    def to_dict(self) -> dict[str, Any]:
        """The profile as it goes into JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The profile that `to_dict` has written."""
        columns = [
            ColumnProfile(**{**column, "top": [(text, rows) for text, rows in column["top"]]})
            for column in content["columns"]
        ]
        return cls(**{**content, "columns": columns})


def profile(
    connection: duckdb.DuckDBPyConnection, plan: Plan, columns: Mapping[str, str], *, kept: str
) -> TableProfile:
    """The profile of table `rows` in the current schema; needs `"transactions".ids`.

    Parameters
    ----------
    plan
        Of the table.
    columns
        Name to SQL of each column.
    kept
        SQL condition of the kept rows.
    """
    rows, customers, unknown, unknown_rows, known, covered = connection.execute(
        f"""WITH own AS (SELECT customer_id, count(*) AS rows FROM rows WHERE {kept} GROUP BY ALL)
        SELECT coalesce(CAST(sum(own.rows) AS BIGINT), 0), count(*),
            count(*) FILTER (ids.customer_id IS NULL),
            coalesce(CAST(sum(own.rows) FILTER (ids.customer_id IS NULL) AS BIGINT), 0),
            (SELECT count(*) FROM "transactions".ids), count(ids.customer_id)
        FROM own LEFT JOIN "transactions".ids USING (customer_id)"""
    ).fetchall()[0]
    kinds = {column.label: _kind(column, columns[column.label]) for column in plan.kept}
    found = [
        _column(connection, name, kinds[name], sql, rows, kept, few=_fewest(plan))
        for name, sql in columns.items()
        if name != "customer_id"
    ]
    times = {column.label for column in plan.kept if column.kind == "time"}
    days = next((one for one in found if one.name in times and one.nulls < rows), None)
    return TableProfile(
        table=plan.section.table,
        rows=rows,
        customers=customers,
        first_day=None if days is None else str(days.minimum)[:10],
        last_day=None if days is None else str(days.maximum)[:10],
        unknown_customers=unknown,
        unknown_rows=unknown_rows,
        covered=covered / known if known else 0.0,
        columns=found,
    )


def _kind(column: Column, sql: str) -> ProfileKind:
    """As the table shows it: texts that became numbers or days have SQL of their own."""
    if column.kind in ("id", "time"):
        return "id" if column.kind == "id" else "time"
    if column.kind == "text" and sql == f'"{column.name}"':
        return "text"
    return "time" if "TIMESTAMP" in sql or "strptime" in sql else "number"


def _fewest(plan: Plan) -> int:
    return FEWEST if plan.section.table == "customers" else 1


def _column(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    kind: ProfileKind,
    sql: str,
    rows: int,
    kept: str,
    *,
    few: int,
) -> ColumnProfile:
    if kind == "number":
        return _numbers(connection, name, sql, rows, kept)
    if kind == "time":
        return _times(connection, name, sql, rows, kept)
    distinct = "approx_count_distinct" if kind == "id" and rows > EXACT_ROWS else "count(DISTINCT"
    counted = f"{distinct}({sql})" + (")" if distinct.startswith("count(") else "")
    nulls, values = _row(connection, f"count(*) - count({sql}), {counted}", kept)
    top = _top(connection, sql, kept, few) if kind == "text" else []
    return ColumnProfile(name=name, kind=kind, rows=rows, nulls=nulls, distinct=values, top=top)


def _numbers(
    connection: duckdb.DuckDBPyConnection, name: str, sql: str, rows: int, kept: str
) -> ColumnProfile:
    quantile = "approx_quantile" if rows > EXACT_ROWS else "quantile_cont"
    nulls, low, high, values = _row(
        connection,
        f"count(*) - count({sql}), min({sql}), max({sql}), {quantile}({sql}, {list(QUANTILES)})",
        kept,
    )
    named = zip((f"{share:.0%}"[:-1] for share in QUANTILES), values or (), strict=False)
    return ColumnProfile(
        name=name,
        kind="number",
        rows=rows,
        nulls=nulls,
        minimum=low,
        maximum=high,
        quantiles=dict(named),
    )


def _times(
    connection: duckdb.DuckDBPyConnection, name: str, sql: str, rows: int, kept: str
) -> ColumnProfile:
    nulls, first, last = _row(connection, f"count(*) - count({sql}), min({sql}), max({sql})", kept)
    return ColumnProfile(
        name=name,
        kind="time",
        rows=rows,
        nulls=nulls,
        minimum=None if first is None else _day(first),
        maximum=None if last is None else _day(last),
    )


def _top(
    connection: duckdb.DuckDBPyConnection, sql: str, kept: str, few: int
) -> list[tuple[str, int]]:
    return connection.execute(
        f"SELECT {sql}, count(*) FROM rows WHERE {kept} AND {sql} IS NOT NULL "
        f"GROUP BY 1 HAVING count(*) >= {few} ORDER BY 2 DESC, 1 LIMIT {TOP}"
    ).fetchall()


def _row(connection: duckdb.DuckDBPyConnection, selected: str, kept: str) -> Any:
    return connection.execute(f"SELECT {selected} FROM rows WHERE {kept}").fetchall()[0]


def _are_years(low: float | str | None, high: float | str | None, middle: float) -> bool:
    """Whether numbers may be years, which are written without a mark for thousands."""
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    whole = all(float(number).is_integer() for number in (low, high, 2 * middle))
    return whole and low >= 1000 and high < 3000


def _day(moment: date) -> str:
    return f"{moment:%Y-%m-%d}"


def _short(text: str, most: int = 30) -> str:
    return on_one_line(text if len(text) <= most else f"{text[: most - 1]}…")
