"""A connection to PostgreSQL whose queries all see the same moment, with results as Arrow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pyarrow as pa

from patronage.errors import DataError, SettingsError

_SETTINGS = (
    "application_name = 'patronage'",
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO, YMD'",
    "IntervalStyle = 'iso_8601'",
    "extra_float_digits = 1",
    "bytea_output = 'hex'",
    "standard_conforming_strings = on",
    "jit = off",  # to compile these long expressions takes longer than to run them
    "work_mem = '64MB'",
    "enable_nestloop = off",  # it knows too little of what the checks let pass to choose it rightly
    "synchronize_seqscans = off",  # a scan begins at the first row, so rows can be numbered
)


class PostgresSession:
    """One read-only transaction: whatever others write meanwhile, all queries see the same rows.

    Raises
    ------
    SettingsError
        If the driver is not installed.
    DataError
        If the server cannot be reached or refuses the user.
    """

    def __init__(self, address: str) -> None:
        try:
            from adbc_driver_postgresql import dbapi
        except ImportError as error:
            raise SettingsError(
                "a source in PostgreSQL needs its driver: pip install 'patronage[postgres]'"
            ) from error
        self._errors: type[Exception] = dbapi.Error
        with self._refusals("PostgreSQL cannot be reached"):
            self._connection = dbapi.connect(address, autocommit=True)
        try:
            for setting in _SETTINGS:
                self.run(f"SET {setting}")
            self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        except BaseException:
            self.close()
            raise

    def run(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        with self._refusals("PostgreSQL refused"), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def arrow(self, query: str, doing: str = "PostgreSQL refused") -> pa.Table:
        """The result of a query; `doing` begins the message of an error."""
        with self._refusals(doing), self._connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()

    @contextmanager
    def batches(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """The result of a query, batch by batch."""
        with self._refusals("PostgreSQL refused"), self._connection.cursor() as cursor:
            cursor.execute(query)
            yield cursor.fetch_record_batch()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The result of a query as tuples."""
        table = self.arrow(query)
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    def types(self, query: str, doing: str) -> list[tuple[str, str]]:
        """Name and PostgreSQL's name of the type of each column of a query, which is not run."""
        schema = self.arrow(f"SELECT * FROM ({query}) AS source LIMIT 0", doing).schema
        return [(field.name, _type_name(field)) for field in schema]

    def close(self) -> None:
        """End the transaction and the connection."""
        self._connection.close()

    @contextmanager
    def _refusals(self, doing: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise DataError(f"{doing}: {_message(error)}") from None

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close."""
        self.close()


def _type_name(field: pa.Field) -> str:
    metadata: dict[bytes, bytes] = field.metadata or {}
    return metadata.get(b"POSTGRESQL:type", b"").decode()


def _message(error: Exception) -> str:
    """The server's own words, without the driver's around them and without any password."""
    text = " ".join(str(error).split()).partition(" Query was: ")[0]
    for noise in ("[libpq] ", "INVALID_ARGUMENT: ", "IO: "):
        text = text.replace(noise, "")
    password = os.environ.get("PGPASSWORD")
    return text.replace(password, "***") if password else text
