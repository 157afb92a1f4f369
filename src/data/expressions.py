"""Expressions of the settings: SQL over the columns of the source, one row at a time.

`where`, `amount`, `kind` and `question` are parsed by SQLGlot and rendered for DuckDB. Allowed are
comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, arithmetic, CASE, CAST and the functions
listed below; there is no way to a query, a file, an aggregate or a setting of the engine.

In CSV every column is text, so the place of a column says what it is read as:

- as a number, by the settings' decimal mark, where it is an operand of `+ - * / %`, cast to a
  number, the argument of a numeric function (`abs`, `round`, ...), or compared with a number:
  `Price > 0`, `Quantity * Price`;
- as a time, by the settings' date format, when it is compared with a time or cast to one, and the
  contract's times also when compared with a text: `Date >= '2024-01-31'`;
- as true or false, when compared with `true` or `false`;
- as text everywhere else: `Code NOT IN ('POST')`, `Code LIKE 'D%'`, `Price > '0'`.

Empty text is NULL. A text that is no number is NULL where a number is read, and a row whose
condition hangs on it is not left out in silence but quarantined. Columns with a type of their own
(Parquet) keep it, except that arithmetic is done in DOUBLE and that a number compared with a text
is compared as text.
A CAST that fails gives NULL.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from patronage.data import values
from patronage.data.columns import suggestion
from patronage.data.dialect import Dialect
from patronage.data.expression_grammar import (
    ALLOWED,
    ARITHMETIC,
    CHOICES,
    COMPARISONS,
    CONDITIONS,
    NUMERIC,
    Role,
    cast_role,
    in_arithmetic,
    is_number,
    is_time,
    operands,
)
from patronage.data.values import Reading, SourceColumn, literal
from patronage.errors import DataError, SettingsError


@dataclass(frozen=True)
class Expression:
    """An expression as SQL of the engine, with the columns it uses."""

    sql: str
    columns: list[SourceColumn]
    unreadable: str
    """SQL condition: a column read as a number holds a text that is none."""
    dialect: Dialect = values

    @property
    def shown(self) -> str:
        """SQL text of the values the expression was given, such as "Price = 'n/a'"."""
        text_of = self.dialect.text_of
        parts = (
            f"{literal(column.name + ' = ')} || coalesce('''' || {text_of(column)} || '''', 'NULL')"
            for column in self.columns
        )
        return " || ', ' || ".join(parts) or "NULL"


@dataclass
class ExpressionReader:
    """Reads one expression of the settings.

    Parameters
    ----------
    setting
        The expression as the settings have it, for messages: `[transactions] where = "..."`.
    columns
        All columns of the source.
    reading
        How texts become numbers and times.
    times
        Source columns of the contract's times.
    dialect
        How the engine reads values and writes expressions; DuckDB's by default.
    """

    setting: str
    columns: Sequence[SourceColumn]
    reading: Reading
    times: Sequence[SourceColumn]
    dialect: Dialect = values
    _roles: dict[int, Role] = field(default_factory=dict, init=False)

    def condition(self, text: str) -> Expression:
        """The text as a condition that is true, false or NULL for each row.

        Raises
        ------
        SettingsError
            If it is no SQL, no condition, or holds what is not allowed.
        DataError
            If it names a column that the source does not have.
        """
        tree = self._parse(text)
        if not isinstance(tree.unnest(), CONDITIONS):
            raise SettingsError(f'{self.setting} is no condition. Example: where = "Price > 0"')
        return self._expression(tree)

    def number(self, text: str) -> Expression:
        """The text as a number for each row; errors as for `condition`."""
        tree = self._parse(text)
        if isinstance(tree.unnest(), CONDITIONS):
            raise SettingsError(
                f'{self.setting} is no number. Example: amount = "Quantity * Price"'
            )
        self._read(tree, "number")
        found = self._expression(tree)
        return replace(found, sql=self.dialect.as_number(found.sql))

    def text(self, text: str) -> Expression:
        """The text as a text for each row; errors as for `condition`."""
        tree = self._parse(text)
        if isinstance(tree.unnest(), CONDITIONS):
            raise SettingsError(f"{self.setting} is no text. Example: kind = \"'visit'\"")
        found = self._expression(tree)
        return replace(found, sql=self.dialect.as_text(found.sql))

    def _parse(self, text: str) -> Any:
        try:
            tree = sqlglot.parse_one(text, dialect="duckdb")
        except SqlglotError as error:
            found = getattr(error, "errors", None) or [{"col": 1}]
            raise SettingsError(
                f"{self.setting} is no SQL expression; it cannot be read from character "
                f"{found[0]['col']} on."
            ) from error
        for node in tree.walk():
            if type(node) not in ALLOWED or node.args.get("query") or node.args.get("unnest"):
                raise SettingsError(
                    f"{self.setting} must not contain {node.sql('duckdb')}; allowed are "
                    "comparisons, arithmetic, CASE, CAST and simple functions of the row's columns."
                )
        return exp.Paren(this=tree)

    def _expression(self, tree: Any) -> Expression:
        nodes = list(tree.find_all(exp.Column))
        used = {column.key: column for column in map(self._column, nodes)}
        for node in list(tree.walk()):
            self._read_operands(node)
        numbers = {
            self._column(node).key for node in nodes if self._roles.get(id(node)) == "number"
        }
        for node in nodes:
            node.replace(exp.Var(this=self._sql(node)))
        text_of, number_of = self.dialect.text_of, self.dialect.number_of
        unreadable = [
            f"({text_of(used[key])} IS NOT NULL AND {number_of(used[key], self.reading)} IS NULL)"
            for key in sorted(numbers)
        ]
        return Expression(
            self.dialect.rendered(tree),
            list(used.values()),
            " OR ".join(unreadable) or "FALSE",
            self.dialect,
        )

    def _column(self, node: Any) -> SourceColumn:
        """The source column a name means: as written, or else alone in any case of letters."""
        if node.table:
            raise SettingsError(
                f"{self.setting}: write a column name that holds a dot in double quotes: "
                f'"{node.sql("duckdb")}"'
            )
        same = [column for column in self.columns if column.name == node.name] or [
            column for column in self.columns if column.name.lower() == node.name.lower()
        ]
        if len(same) != 1:
            known = (column.name for column in self.columns)
            fault = "fits several columns by" if same else "names no column by"
            raise DataError(f"{self.setting} {fault} {node.name!r}. {suggestion(node.name, known)}")
        return same[0]

    def _read_operands(self, node: Any) -> None:
        """Say of the columns right below a node what they are read as."""
        parts = list(operands(node))
        if isinstance(node, ARITHMETIC + NUMERIC):
            self._read_all(parts, "number")
        elif isinstance(node, (exp.Cast, exp.Year, exp.Month)):
            self._read_all(parts, cast_role(node))
        elif isinstance(node, COMPARISONS + CHOICES):
            role = self._common_role(node, parts)
            if role:
                self._read_all(parts, role)

    def _common_role(self, node: Any, parts: list[Any]) -> Role | None:
        if any(is_number(part) for part in parts):
            return "number"
        if not isinstance(node, COMPARISONS):
            return None
        if any(is_time(part) for part in parts):
            return "time"
        if any(isinstance(part, exp.Boolean) for part in parts):
            return "boolean"
        if any(isinstance(part, exp.Literal) for part in parts):
            return "constant"
        return None

    def _read_all(self, parts: Iterable[Any], role: Role) -> None:
        for part in parts:
            self._read(part, role)

    def _read(self, node: Any, role: Role) -> None:
        if isinstance(node, exp.Column):
            self._roles[id(node)] = self._narrowed(node, role)
        elif isinstance(node, exp.Literal) and node.is_string and role == "constant":
            self._check_constant(node)
        elif isinstance(node, (exp.Paren, exp.Neg, *CHOICES)):
            self._read_all(operands(node), role)

    def _narrowed(self, node: Any, role: Role) -> Role:
        """A text constant means a time to a column of times, a text to any other."""
        if role != "constant":
            return role
        column = self._column(node)
        is_time = column in self.times or column.kind in ("time", "date", "zoned")
        return "time" if is_time else "text"

    def _check_constant(self, node: Any) -> None:
        siblings = [self._roles.get(id(other)) for other in operands(node.parent)]
        if "time" not in siblings:
            return
        try:
            datetime.fromisoformat(node.name)
        except ValueError as error:
            raise SettingsError(
                f"{self.setting} compares a time with {node.name!r}; write it as '2024-01-31' "
                "or '2024-01-31 18:00'."
            ) from error
        node.replace(exp.Var(this=f"TIMESTAMP {literal(node.name)}"))

    def _sql(self, node: Any) -> str:
        column, role = self._column(node), self._roles.get(id(node))
        if role == "number" and (column.kind == "text" or in_arithmetic(node)):
            return self.dialect.number_of(column, self.reading)
        if role == "boolean" and column.kind == "text":
            return self.dialect.boolean_of(column)
        if role == "time":
            return self.dialect.timestamp_of(column, self.reading)
        return (
            self.dialect.text_of(column) if role == "text" or column.kind == "text" else column.key
        )
