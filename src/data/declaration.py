"""How a table's contract is declared: its columns with their kinds, and rules between them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Self

import narwhals as nw

Kind = Literal["id", "text", "number", "time", "flag"]

EARLIEST = datetime(1970, 1, 2)
"""An empty date often comes out of other programs as 1970-01-01 or as a day before it."""

FOREVER = datetime(2200, 1, 1)

EXACT_BELOW = 2.0**53
"""A float tells all whole numbers apart below this; beyond it, two ids may have become one."""

LARGEST = 1e15
"""No amount, price or count of a business is larger; sums and squares of such stay finite."""

NOTHING = nw.lit(None, dtype=nw.String)


@dataclass(frozen=True)
class Fault:
    """A reason for quarantine, the rows it holds for, and the value to show."""

    reason: str
    found: nw.Expr
    value: nw.Expr


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a contract.

    Attributes
    ----------
    name
        Of the column in the checked table.
    kind
        "id" and "text" stay text, exactly as in the source but for blanks around it; "number" and
        "flag" (1 for true, 0 for false) become DOUBLE; "time" becomes TIMESTAMP on the ledger's
        clock.
    required
        The source must have it.
    nullable
        A row may have no value.
    computable
        The settings may give an SQL expression in its place.
    shown_as
        Its name in messages, by default `name`.
    earliest, may_be_future
        Bounds of a time; no time may be later than 2199, unless `open_ended`.
    open_ended
        A time later than 2199, such as 9999-12-31, means that there is none.
    minimum
        Of a number.
    words
        All values that a text may have.
    from_float
        An id that the source has as a float: whole only below 2^53.
    passed_on
        Whether the checked table has it; otherwise it is only checked.
    """

    name: str
    kind: Kind
    required: bool = False
    nullable: bool = False
    computable: bool = False
    shown_as: str = ""
    earliest: datetime = EARLIEST
    may_be_future: bool = False
    open_ended: bool = False
    minimum: float | None = None
    words: tuple[str, ...] = ()
    from_float: bool = False
    passed_on: bool = True

    @property
    def label(self) -> str:
        """Its name in messages."""
        return self.shown_as or self.name

    def faults(self, *, latest: datetime, computed: bool) -> Iterator[Fault]:
        """What may be wrong with a value, in the order in which it is looked for.

        Parameters
        ----------
        latest
            Last possible time of what has happened, on the ledger's clock.
        computed
            Whether the value is an expression of the settings.
        """
        if not self.nullable and not (computed and self.kind == "number"):
            yield Fault(f"{self.label} is missing", self.shown.is_null(), NOTHING)
        if not self._is_text:
            yield self._unreadable(computed)
        yield from self._out_of_bounds(latest)

    @property
    def kept(self) -> nw.Expr:
        """The value as the checked table has it."""
        value = nw.col(self.name)
        return nw.when(value < FOREVER).then(value) if self.open_ended else value

    @property
    def _is_text(self) -> bool:
        return self.kind in ("id", "text")

    @property
    def shown(self) -> nw.Expr:
        """The text that the value was read from."""
        return nw.col(self.name if self._is_text else f"shown_{self.name}")

    def _unreadable(self, computed: bool) -> Fault:
        is_null = nw.col(self.name).is_null()
        found = is_null & ~self.shown.is_null() if self.nullable else is_null
        words = {
            "number": "cannot be computed" if computed else "is not a number",
            "time": "cannot be read",
            "flag": "is neither true nor false",
        }
        return Fault(f"{self.label} {words[self.kind]}", found, self.shown)

    def _out_of_bounds(self, latest: datetime) -> Iterator[Fault]:
        value = nw.col(self.name)
        if self.kind == "number":
            yield Fault(f"{self.label} is not finite", ~value.is_finite(), self.shown)
            yield Fault(f"{self.label} is beyond 1e15", value.abs() > LARGEST, self.shown)
        if self.from_float:
            size = value.cast(nw.Float64).abs()
            yield Fault(f"{self.label} is not finite", ~size.is_finite(), value)
            yield Fault(f"{self.label} lost digits as a float", size >= EXACT_BELOW, value)
        if self.minimum is not None:
            low = "negative" if self.minimum == 0 else f"less than {self.minimum:g}"
            yield Fault(f"{self.label} is {low}", value < self.minimum, self.shown)
        if self.kind == "time":
            empty = f"before {self.earliest:%Y-%m-%d}, usually an empty date"
            yield Fault(f"{self.label} is {empty}", value < self.earliest, self.shown)
            if not self.may_be_future:
                yield Fault(f"{self.label} is in the future", value > latest, self.shown)
            elif not self.open_ended:
                yield Fault(f"{self.label} is later than 2199", value >= FOREVER, self.shown)
        if self.words:
            other = ~value.is_in(self.words)
            which = "not" if len(self.words) == 1 else "none of"
            yield Fault(f"{self.label} is {which} {', '.join(self.words)}", other, self.shown)


@dataclass(frozen=True)
class Rule:
    """A rule between columns: `broken` is looked at where all of `columns` are checked."""

    reason: str
    broken: nw.Expr
    columns: tuple[str, ...]
    """The first one's value is shown."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a table must be.

    Attributes
    ----------
    table
        Its name, that of its section in the settings.
    columns
        All columns it may have, in order.
    rules
        Between columns.
    key
        At most one row may have the same values in these; none if empty.
    checks_unnamed
        Whether a value of an optional column that cannot be read is a fault also when the settings
        do not name the column, but the source has one of its name.
    """

    table: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    key: tuple[str, ...] = ()
    checks_unnamed: bool = True
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the columns known by name."""
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def times(self) -> tuple[str, ...]:
        """Names of the columns that hold times."""
        return tuple(column.name for column in self.columns if column.kind == "time")

    @property
    def computable(self) -> str | None:
        """The column that the settings may compute, if there is one."""
        return next((column.name for column in self.columns if column.computable), None)

    def with_columns(self, columns: Collection[Column]) -> Self:
        """The contract with further columns at its end."""
        return replace(self, columns=(*self.columns, *columns))

    def faults(
        self, *, named: Collection[str], latest: datetime, computed: bool
    ) -> Iterator[Fault]:
        """All faults of required columns and of those optional ones that are in `named`."""
        checked = {column.name for column in self.columns if column.required} | set(named)
        for column in self.columns:
            if column.name in checked:
                is_computed = computed and column.computable
                yield from column.faults(latest=latest, computed=is_computed)
        for rule in self.rules:
            if checked.issuperset(rule.columns):
                shown = self.by_name[rule.columns[0]]
                yield Fault(rule.reason, rule.broken, shown.shown)

    def unsettled(self, *, named: Collection[str], present: Collection[str]) -> Iterator[Rule]:
        """The rules on a column that is there but not checked: a value that breaks one is empty."""
        checked = {column.name for column in self.columns if column.required} | set(named)
        for rule in self.rules:
            if rule.columns[0] not in checked and set(rule.columns).issubset(present):
                yield rule
