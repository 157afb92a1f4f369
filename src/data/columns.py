"""Which source column each contract column is read from."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from patronage.config import TransactionColumns, TransactionsSection
from patronage.data.values import SourceColumn
from patronage.errors import DataError

TEXT_COLUMNS = ("order_id", "product_id", "category", "channel")
NUMBER_COLUMNS = ("quantity", "margin", "discount")


def map_columns(
    section: TransactionsSection, columns: Sequence[SourceColumn], table: str
) -> dict[str, SourceColumn]:
    """Contract column to source column: required ones, and optional ones that are there.

    An optional column is there when the settings name it, or the source has a column of its name.
    `amount` is left out when the settings give an expression for it.

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
            raise DataError(_missing(contract, name, list(by_name), table))
    return mapped


def named_columns(section: TransactionsSection) -> set[str]:
    """Contract columns whose source column the settings name."""
    return {name for name in section.columns.model_fields_set if getattr(section.columns, name)}


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


def _wanted(section: TransactionsSection) -> Mapping[str, str]:
    wanted = {
        name: getattr(section.columns, name) or name for name in TransactionColumns.model_fields
    }
    if section.amount is not None:
        del wanted["amount"]
    return wanted


def _required(section: TransactionsSection) -> set[str]:
    return {"customer_id", "timestamp"} | ({"amount"} if section.amount is None else set())


def _missing(contract: str, name: str, known: list[str], table: str) -> str:
    near = nearest(name, known) or (nearest(contract, known)) or known[0]
    hints = [f'name it: [transactions.columns] {contract} = "{near}"']
    if contract == "amount":
        hints.append('or compute it: [transactions] amount = "quantity * price"')
    if len(known) == 1:
        hints.append('or say what parts the columns: [transactions] delimiter = ";"')
    return (
        f"{table} has no column {name!r} for {contract}. {suggestion(name, known)} "
        f"Then {', '.join(hints)}"
    )
