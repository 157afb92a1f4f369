"""Which source column each contract column is read from."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from patronage.data.tables import CONTRACTS
from patronage.data.values import SourceColumn
from patronage.errors import DataError
from patronage.table_settings import FileSection, Section


def map_columns(
    section: FileSection, columns: Sequence[SourceColumn], table: str
) -> dict[str, SourceColumn]:
    """Contract column to source column: required ones, and optional ones that are there.

    An optional column is there when the settings name it, or the source has a column of its name.
    A column for which the settings give an expression is left out.

    Raises
    ------
    DataError
        If a required or named column is missing; the message lists the columns found.
    """
    by_name = {column.name: column for column in columns}
    mapped = {}
    for contract, name in _wanted(section).items():
        if name in by_name:
            mapped[contract] = by_name[name]
        elif contract in named_columns(section) or contract in _required(section):
            raise DataError(_missing(section, contract, name, list(by_name), table))
    return mapped


def refuse_as_id(section: FileSection, column: SourceColumn, table: str) -> None:
    """Refuse a column as customer_id whose type can name nobody.

    Raises
    ------
    DataError
        If it holds true and false, days, times, lists or structs; the message names it.
    """
    nested = column.type.endswith("]") or column.type.startswith(("STRUCT", "MAP", "UNION"))
    if nested or column.kind in ("boolean", "date", "time", "zoned"):
        raise DataError(
            f"{table}: column {column.name!r} for customer_id is of type "
            f"{column.type or column.kind}; ids are texts or whole numbers. Name another column: "
            f"[{section.table}.columns] customer_id = ..."
        )


def named_columns(section: FileSection) -> set[str]:
    """Contract columns whose source column the settings name."""
    mapping = _mapping(section)
    return {name for name in mapping.model_fields_set if getattr(mapping, name)}


def expression_of(section: FileSection) -> tuple[str, str] | None:
    """The contract column that the settings compute, and the expression for it."""
    name = CONTRACTS[section.table].computable
    text = None if name is None else getattr(section, name)
    return None if name is None or text is None else (name, text)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Columns found, the nearest to `name` first and by itself.

    Examples
    --------
    >>> suggestion("custmer", ["Customer", "Price"])
    "Did you mean 'Customer'? Columns found: 'Customer', 'Price'."
    """
    names = list(known)
    near = nearest(name, names)
    hint = f"Did you mean {near!r}? " if near else ""
    return f"{hint}Columns found: {', '.join(repr(column) for column in names)}."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, upper and lower case alike, if any is."""
    folded = {_fold(column): column for column in known}
    key = _fold(name)
    close = difflib.get_close_matches(key, folded, n=1, cutoff=0.5)
    inside = [column for column in folded if column and (column in key or key in column)]
    return next((folded[column] for column in [*close, *inside]), None)


def _fold(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _mapping(section: FileSection) -> Section:
    mapping: Section = vars(section)["columns"]
    return mapping


def _wanted(section: FileSection) -> Mapping[str, str]:
    mapping, computed = _mapping(section), expression_of(section)
    return {
        column.name: getattr(mapping, column.name) or column.name
        for column in CONTRACTS[section.table].columns
        if computed is None or column.name != computed[0]
    }


def _required(section: FileSection) -> set[str]:
    return {column.name for column in CONTRACTS[section.table].columns if column.required}


def _missing(section: FileSection, contract: str, name: str, known: list[str], table: str) -> str:
    near = nearest(name, known) or (nearest(contract, known)) or known[0]
    hints = [f'name it: [{section.table}.columns] {contract} = "{near}"']
    if contract == CONTRACTS[section.table].computable:
        example = _EXPRESSIONS[contract]
        hints.append(f"or compute it: [{section.table}] {contract} = {example}")
    if len(known) == 1:
        hints.append(f'or say what parts the columns: [{section.table}] delimiter = ";"')
    return (
        f"{table} has no column {name!r} for {contract}. {suggestion(name, known)} "
        f"Then {', '.join(hints)}"
    )


_EXPRESSIONS = {
    "amount": '"quantity * price"',
    "kind": "\"'visit'\"",
    "question": "\"'nps'\"",
}
