"""What a table's header suggests: which column is the customer, the time, the amount."""

from pathlib import Path

import duckdb

from patronage.config import TransactionsSection
from patronage.data.reading import open_source

WORDS = {
    "customer_id": ("customer", "client", "kunde", "household", "member", "user", "account"),
    "timestamp": ("timestamp", "date", "datum", "time", "day"),
    "order_id": ("invoice", "order", "basket", "receipt", "transaction"),
    "product_id": ("stockcode", "product", "sku", "article", "item"),
    "quantity": ("quantity", "qty", "units", "menge"),
    "amount": ("amount", "revenue", "sales", "total", "spend", "betrag", "umsatz", "value"),
}
PRICE = ("unitprice", "price", "preis")
AMOUNT = "amount"


def guess_columns(source: str, folder: Path) -> tuple[dict[str, str], str | None]:
    """Guess which column of a source is which contract column, from their names alone.

    Returns
    -------
    columns
        Contract column to source column, for those that were recognised.
    amount
        An expression, where there is no amount column but a quantity and a price.

    Raises
    ------
    DataError
        If the source cannot be read.
    """
    with duckdb.connect() as connection:
        opened = open_source(connection, TransactionsSection(source=source), folder, folder)
    names = [column.name for column in opened.columns]
    columns: dict[str, str] = {}
    for contract, words in WORDS.items():
        found = _first_like(words, [name for name in names if name not in columns.values()])
        if found is not None:
            columns[contract] = found
    price = _first_like(PRICE, names)
    if AMOUNT not in columns and "quantity" in columns and price is not None:
        return columns, f"{_quoted(columns['quantity'])} * {_quoted(price)}"
    return columns, None


def _first_like(words: tuple[str, ...], names: list[str]) -> str | None:
    """The first name that holds the first word that any name holds."""
    folded = {name: "".join(c for c in name.casefold() if c.isalnum()) for name in names}
    matches = (name for word in words for name in names if word in folded[name])
    return next(matches, None)


def _quoted(name: str) -> str:
    """The name as SQL takes it."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
