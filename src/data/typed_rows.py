"""SQL that reads a source's rows as the contract has them, beside the texts they were read from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import duckdb

from patronage.data import values as duckdb_values
from patronage.data.attributes import attribute_columns
from patronage.data.columns import expression_of, map_columns, named_columns, refuse_as_id
from patronage.data.declaration import EXACT_BELOW, LARGEST, Column, Contract
from patronage.data.dialect import Dialect
from patronage.data.expressions import Expression, ExpressionReader
from patronage.data.source import Source
from patronage.data.tables import CONTRACTS
from patronage.data.values import Reading, SourceColumn, literal
from patronage.errors import SettingsError
from patronage.table_settings import CustomersSection, FileSection


@dataclass(frozen=True)
class Plan:
    """How the rows of a source become those of a table.

    Attributes
    ----------
    contract
        Of the table, with the attributes that this source has.
    mapped
        Contract column to source column.
    checked
        Optional columns of which a value that cannot be read is a fault.
    computed
        The contract column that the settings compute, and the expression.
    reading
        How texts become numbers and times.
    """

    section: FileSection
    contract: Contract
    mapped: dict[str, SourceColumn]
    checked: set[str]
    computed: tuple[str, str] | None
    reading: Reading

    @property
    def present(self) -> list[Column]:
        """The contract columns that the table has, in the contract's order."""
        made = {self.computed[0]} if self.computed else set()
        return [
            column
            for column in self.contract.columns
            if column.name in self.mapped or column.name in made
        ]

    @property
    def kept(self) -> list[Column]:
        """Those of them that the checked table shows."""
        return [column for column in self.present if column.passed_on]


def plan(section: FileSection, source: Source, *, timezone: str, currency: str) -> Plan:
    """Map the columns of a source to the contract of its table.

    Raises
    ------
    DataError
        If a required or named column is missing, or an attribute's name is taken.
    """
    mapped = map_columns(section, source.columns, source.label)
    refuse_as_id(section, mapped["customer_id"], source.label)
    contract = _of_source(_in_currency(CONTRACTS[section.table], currency), mapped)
    named = named_columns(section)
    checked = {
        column.name
        for column in contract.columns
        if column.name in mapped and (contract.checks_unnamed or column.name in named)
    }
    attributes = attribute_columns(section, source, mapped)
    return Plan(
        section=section,
        contract=contract.with_columns([column for column, _ in attributes]),
        mapped=mapped | {column.name: origin for column, origin in attributes},
        checked=checked | {made.name for made, origin in attributes if _must_be(section, origin)},
        computed=expression_of(section),
        reading=Reading(section.decimal, section.date_format, timezone),
    )


def typed_sql(connection: duckdb.DuckDBPyConnection, source: Source, plan: Plan) -> str:
    """SQL that gives the source's columns, the contract's, and the texts these were read from.

    Raises
    ------
    DataError, SettingsError
        If an expression or the date format cannot be used.
    """

    def check(sql: str, setting: str) -> None:
        _try(connection, source, sql, setting)

    values = values_sql(source, plan, dialect=duckdb_values, check=check)
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in values.items())
    keys = ", ".join(column.key for column in source.columns)
    return f"SELECT *, hash({keys}) AS source_hash, {listed} FROM ({source.scan})"


def values_sql(
    source: Source, plan: Plan, *, dialect: Dialect, check: Callable[[str, str], None]
) -> dict[str, str]:
    """SQL of the contract's columns, of the texts these were read from, and of what `where` says.

    Parameters
    ----------
    dialect
        How the engine reads values and writes expressions.
    check
        Lets the engine bind SQL, and raises SettingsError with the setting if it refuses.
    """
    section, table = plan.section, plan.section.table
    times = [plan.mapped[name] for name in plan.contract.times if name in plan.mapped]

    def expression(key: str, text: str) -> Expression:
        setting = f"[{table}] {key} = {text!r}"
        reader = ExpressionReader(setting, source.columns, plan.reading, times, dialect)
        found = _reader_of(reader, plan.contract, key)(text)
        check(found.sql, setting)
        return found

    values = _contract_sql(plan, dialect)
    if plan.computed is not None:
        name, text = plan.computed
        computed = expression(name, text)
        values |= {name: computed.sql, f"shown_{name}": computed.shown}
    values |= {"filtered": "FALSE", "undecided": "FALSE", "shown_where": "CAST(NULL AS VARCHAR)"}
    if section.where is not None:
        values |= _where_sql(expression("where", section.where))
    for name in plan.contract.times:
        if name in plan.mapped:
            check(values[name], f"[{table}] date_format")
    values["source_unread"] = _unread(plan, values, dialect)
    values["source_id"] = _id_with_blanks(plan.mapped["customer_id"])
    return values


def _must_be(section: FileSection, origin: SourceColumn) -> bool:
    """Whether the settings say that an attribute is a number."""
    return isinstance(section, CustomersSection) and origin.name in section.numbers


def _in_currency(contract: Contract, currency: str) -> Contract:
    """The contract with the ledger's currency as the only one that a row may name."""
    columns = tuple(
        replace(column, words=(currency,)) if column.name == "currency" else column
        for column in contract.columns
    )
    return replace(contract, columns=columns)


def _of_source(contract: Contract, mapped: dict[str, SourceColumn]) -> Contract:
    """The contract with the ids marked that the source has as floats."""
    columns = tuple(
        replace(column, from_float=True)
        if column.kind == "id" and column.name in mapped and mapped[column.name].kind == "float"
        else column
        for column in contract.columns
    )
    return replace(contract, columns=columns)


def _reader_of(
    reader: ExpressionReader, contract: Contract, key: str
) -> Callable[[str], Expression]:
    if key == "where":
        return reader.condition
    return reader.number if contract.by_name[key].kind == "number" else reader.text


def _contract_sql(plan: Plan, dialect: Dialect) -> dict[str, str]:
    required = {column.name for column in plan.contract.columns if column.required}
    checked = plan.checked | required
    values = {}
    for column in plan.present:
        if column.name not in plan.mapped:
            continue
        origin = plan.mapped[column.name]
        is_checked = column.name in checked
        values[column.name] = _value_sql(dialect, column, origin, plan.reading, checked=is_checked)
        if column.kind not in ("id", "text") and column.name in checked:
            values[f"shown_{column.name}"] = dialect.shown(origin)
    return values


def _value_sql(
    dialect: Dialect, column: Column, origin: SourceColumn, reading: Reading, *, checked: bool
) -> str:
    if column.kind == "time":
        return dialect.timestamp_of(origin, reading)
    if column.kind == "flag":
        return dialect.flag_of(origin)
    if column.kind == "number":
        number = dialect.number_of(origin, reading)
        if checked:
            return number
        # An attribute may be a code of many digits; whatever is summed may not.
        small = f"abs({number}) <= {LARGEST:.0f}"
        return dialect.finite(number) if column.shown_as else f"CASE WHEN {small} THEN {number} END"
    text = dialect.text_of(origin)
    if column.from_float and not checked:
        return f"CASE WHEN abs({origin.key}) < {EXACT_BELOW:.0f} THEN {text} END"
    return text


def _unread(plan: Plan, values: dict[str, str], dialect: Dialect) -> str:
    """The first column whose value cannot be read though that is no fault; else NULL."""
    cases = "".join(
        f" WHEN {_written(dialect, column, plan.mapped[column.name])} IS NOT NULL "
        f"AND ({values[column.name]}) IS NULL THEN {literal(column.label)}"
        for column in plan.present
        if (column.kind == "number" or column.from_float)
        and column.nullable
        and not column.shown_as
        and column.name in plan.mapped
        and column.name not in plan.checked
        and not column.required
    )
    return f"CASE{cases} END" if cases else "CAST(NULL AS VARCHAR)"


def _written(dialect: Dialect, column: Column, origin: SourceColumn) -> str:
    """What stands in the source; pandas writes an id that is not there as NaN."""
    return dialect.text_of(origin) if column.kind == "id" else dialect.shown(origin)


def _id_with_blanks(column: SourceColumn) -> str:
    """The id as the source has it, where it has blanks around it; else NULL."""
    if column.kind != "text":
        return "CAST(NULL AS VARCHAR)"
    text = f"CAST({column.key} AS VARCHAR)"
    return f"CASE WHEN {text} <> {duckdb_values.text_of(column)} THEN {text} END"


def _where_sql(where: Expression) -> dict[str, str]:
    """A NULL that comes of an unreadable number must not leave out a row in silence."""
    undecided = f"({where.sql} IS NULL AND ({where.unreadable}))"
    return {
        "filtered": f"NOT coalesce({where.sql}, {undecided})",
        "undecided": undecided,
        "shown_where": where.shown,
    }


def _try(connection: duckdb.DuckDBPyConnection, source: Source, sql: str, setting: str) -> None:
    """Let DuckDB bind the expression of a setting, so that its refusal names the setting."""
    columns = ", ".join(f"{column.key}" for column in source.columns)
    try:
        connection.execute(f"SELECT {sql} FROM (SELECT {columns} FROM ({source.scan}) LIMIT 0)")
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SettingsError(f"{setting} cannot be used: {reason}") from error
