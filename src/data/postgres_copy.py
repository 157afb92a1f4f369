"""A table of PostgreSQL brought here as it is, in a Parquet file."""

from pathlib import Path

import pyarrow.parquet as pq

from patronage.data.postgres_session import PostgresSession
from patronage.data.postgres_source import source_sql
from patronage.data.postgres_values import kind_of
from patronage.data.values import quoted
from patronage.table_settings import FileSection


def copied(session: PostgresSession, section: FileSection, work_folder: Path) -> FileSection:
    """The section with a copy of its table as source, written in batches.

    Types that Arrow has no equal of come as PostgreSQL's text, numbers without bounds as DOUBLE.

    Raises
    ------
    DataError, SettingsError
        If there is no such table, or the query is refused.
    """
    table = source_sql(session, section)
    setting = f"[{section.table}] {'relation' if section.relation else 'query'}"
    types = session.types(table, setting)
    keys = ", ".join(f"c{place}" for place in range(len(types)))
    listed = ", ".join(
        f"{_travelling(f'c{place}', kind)} AS {quoted(name)}"
        for place, (name, kind) in enumerate(types)
    )
    target = work_folder / f"{section.relation or 'query'}.{section.table}.parquet"
    target = target.with_name(target.name.replace("/", "_"))
    query = f"SELECT {listed} FROM ({table}) AS source({keys})"
    with session.batches(query) as batches, pq.ParquetWriter(target, batches.schema) as file:
        for batch in batches:
            file.write_batch(batch)
    source = {"source": str(target), "relation": None, "query": None, "format": "parquet"}
    return section.model_copy(update=source)


def _travelling(key: str, postgres_type: str) -> str:
    kind = kind_of(postgres_type)
    if kind == "number":
        return f"CAST({key} AS double precision)"
    return f"CAST({key} AS text)" if kind in ("other", "text") else key
