"""DuckDB's SQL in PostgreSQL's dialect.

Narwhals expressions become DuckDB SQL over an empty twin of the table, and SQLGlot renders that for
PostgreSQL. What SQLGlot leaves to the reader is spelled out here, so that both mean the same.
"""

from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp


def translated(duckdb_sql: str) -> str:
    """A query that Narwhals made for DuckDB, for PostgreSQL."""
    return postgres_sql(sqlglot.parse_one(duckdb_sql, dialect="duckdb"))


def postgres_sql(tree: Any) -> str:
    """A SQLGlot tree of DuckDB's dialect, rendered for PostgreSQL."""
    root = exp.Paren(this=tree.copy())
    for node in reversed(list(root.this.walk(bfs=False))):  # the innermost first
        rule = _RULES.get(type(node))
        if rule is not None:
            node.replace(rule(node))
    return str(root.this.sql("postgres"))


def _of(template: str) -> Callable[..., Any]:
    """A tree made of PostgreSQL's SQL with {a} and {b} in it; arithmetic is that of IEEE 754."""

    def fill(**parts: Any) -> Any:
        return exp.Var(this=template.format(**{k: v.sql("postgres") for k, v in parts.items()}))

    return fill


_FINITE = _of("({a} NOT IN ('NaN', 'Infinity', '-Infinity'))")
_OPERANDS = "(SELECT CAST({a} AS float8) AS a, CAST({b} AS float8) AS b) AS operands"
_DIVIDED = _of(
    "(SELECT CASE WHEN b <> 0 THEN a / b WHEN b = 0 AND a = 0 THEN 'NaN' "
    "WHEN b = 0 THEN sign(a) * 'Infinity' END "
    f"FROM {_OPERANDS})"
)
_REST = _of(
    "(SELECT CASE WHEN b <> 0 AND abs(a) <> 'Infinity' THEN a - b * trunc(a / b) "
    f"WHEN a IS NOT NULL AND b IS NOT NULL THEN 'NaN' END FROM {_OPERANDS})"
)
_ROUNDED = _of(f"(SELECT sign(a) * floor(abs(a) * 10 ^ b + 0.5) / 10 ^ b FROM {_OPERANDS})")
_MATCHES = _of("({a} ~ {b})")
_ENDS = _of("(right({a}, length({b})) = {b})")
_HOLDS = _of("(strpos({a}, {b}) > 0)")
_AS_BIGINT = _of("CAST(CAST({a} AS int) AS bigint)")


def _anonymous(node: Any) -> Any:
    if node.name.lower() == "add":
        first, second = (part.copy() for part in node.expressions)
        return exp.Paren(this=exp.Add(this=first, expression=second))
    return _FINITE(a=node.expressions[0]) if node.name.lower() == "isfinite" else node


def _counted(node: Any) -> Any:
    return node if node.this else exp.Count(this=exp.Star())


def _summed(node: Any) -> Any:
    """PostgreSQL sums whole numbers to its unbounded type, which does not travel as a number."""
    return exp.Cast(this=node.copy(), to=exp.DataType.build("double"))


def _cast_to_whole(node: Any) -> Any:
    """A condition counts as 0 or 1 by way of int: PostgreSQL has no cast straight to bigint."""
    conditions = (exp.Predicate, exp.Not, exp.And, exp.Or, exp.Boolean)
    if node.to.this == exp.DataType.Type.BIGINT and isinstance(node.this.unnest(), conditions):
        return _AS_BIGINT(a=node.this)
    return node


_RULES: dict[type, Callable[[Any], Any]] = {
    exp.Anonymous: _anonymous,
    exp.Count: _counted,
    exp.Sum: _summed,
    exp.Cast: _cast_to_whole,
    exp.Div: lambda node: _DIVIDED(a=node.this, b=node.expression),
    exp.Mod: lambda node: _REST(a=node.this, b=node.expression),
    exp.Round: lambda node: _ROUNDED(
        a=node.this, b=node.args.get("decimals") or exp.Literal.number(0)
    ),
    exp.RegexpLike: lambda node: _MATCHES(a=node.this, b=node.expression),
    exp.EndsWith: lambda node: _ENDS(a=node.this, b=node.expression),
    exp.Contains: lambda node: _HOLDS(a=node.this, b=node.expression),
}
