"""What an engine's dialect must offer to the reading of tables and of expressions."""

from typing import Any, Protocol

from patronage.data.values import Reading, SourceColumn


class Dialect(Protocol):
    """Values and expressions as SQL: `values` for DuckDB, `postgres_values` for PostgreSQL."""

    def text_of(self, column: SourceColumn) -> str:
        """The value as text without blanks around it, NULL when nothing is left."""

    def shown(self, column: SourceColumn) -> str:
        """The value as it is shown to the user."""

    def number_of(self, column: SourceColumn, reading: Reading) -> str:
        """The value as a number; NULL when it is none."""

    def timestamp_of(self, column: SourceColumn, reading: Reading) -> str:
        """The value as a time on the ledger's clock; NULL when it is none."""

    def boolean_of(self, column: SourceColumn) -> str:
        """The value as true or false; NULL when it is neither."""

    def flag_of(self, column: SourceColumn) -> str:
        """The value as a number, 1 for true and 0 for false; NULL when it is neither."""

    def finite(self, number: str) -> str:
        """A number that is finite, else NULL."""

    def as_text(self, sql: str) -> str:
        """The value of an expression as text without blanks around it, NULL when empty."""

    def as_number(self, sql: str) -> str:
        """The value of a numeric expression as a number."""

    def rendered(self, tree: Any) -> str:
        """An expression of the settings; a cast that fails gives NULL."""
