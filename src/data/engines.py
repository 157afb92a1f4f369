"""Where each table is read: here by DuckDB, in PostgreSQL, or on Spark."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from patronage.config import Settings
from patronage.data.checked_table import CheckedTable, read_table
from patronage.errors import SettingsError
from patronage.sources import is_postgres, is_spark_table
from patronage.table_settings import FileSection

if TYPE_CHECKING:
    from patronage.data.postgres_session import PostgresSession


@dataclass
class Engines:
    """The servers that one ledger is read from; each database is seen as of one moment."""

    _sessions: dict[str, "PostgresSession"] = field(default_factory=dict)

    def read(
        self,
        connection: duckdb.DuckDBPyConnection,
        section: FileSection,
        settings: Settings,
        *,
        latest: datetime,
        work_folder: Path,
    ) -> CheckedTable:
        """Read and check a table where it is; see `read_table`.

        The transactions stay in PostgreSQL. Of the other tables each row is needed here, so they
        are brought as they are, and checked here.
        """
        if is_postgres(section.source):
            session = self._session(str(section.source))
            if section.table == "transactions":
                from patronage.data.postgres_table import read_postgres

                return read_postgres(connection, section, settings, session=session, latest=latest)
            from patronage.data.postgres_copy import copied

            section = copied(session, section, work_folder)
        if is_spark_table(section.source) and (
            settings.engine.name != "spark" or section.table != "transactions"
        ):
            raise SettingsError(
                f"[{section.table}] source = {section.source!r} is a table of Spark's catalogue, "
                'which transactions may be, with [engine] name = "spark".'
            )
        if settings.engine.name == "spark" and section.table == "transactions":
            from patronage.data.spark_table import read_spark

            return read_spark(connection, section, settings, latest=latest)
        return read_table(connection, section, settings, latest=latest, work_folder=work_folder)

    def _session(self, address: str) -> "PostgresSession":
        from patronage.data.postgres_session import PostgresSession

        if address not in self._sessions:
            self._sessions[address] = PostgresSession(address)
        return self._sessions[address]

    def close(self) -> None:
        """End all sessions."""
        while self._sessions:
            self._sessions.popitem()[1].close()
