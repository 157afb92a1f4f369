"""What a table's `source` may be besides files, and what it must not hold."""

import re
from urllib.parse import parse_qsl, urlsplit

SECRET = re.compile(r"secret|password|token|access[.]?key", re.IGNORECASE)
"""What Spark, too, takes for the name of something to hide."""
POSTGRES = ("postgresql://", "postgres://")
SPARK_TABLE = "spark:"


def is_postgres(source: str | list[str]) -> bool:
    """Whether the source is the address of a PostgreSQL database."""
    return isinstance(source, str) and source.lower().startswith(POSTGRES)


def is_spark_table(source: str | list[str]) -> bool:
    """Whether the source is a table of the Spark catalogue: "spark:shop.orders"."""
    return isinstance(source, str) and source.startswith(SPARK_TABLE)


def fault_of(source: str | list[str], relation: str | None, query: str | None) -> str | None:
    """What is wrong with a source that is no file; the text never repeats the address.

    Settings are copied into manifests, models and reports, so a password must not be in them.
    """
    entries = [source] if isinstance(source, str) else source
    if any(_holds_password(entry) for entry in entries if "://" in entry):
        return (
            "source holds a password, and settings are copied into every run's manifest; take it "
            "out and put it into the environment (PGPASSWORD) or into ~/.pgpass"
        )
    if not is_postgres(source):
        if any(map(is_postgres, entries)):
            return "source mixes files and a database; name one of them"
        named = [name for name, value in (("relation", relation), ("query", query)) if value]
        return f"{named[0]} needs a source postgresql://user@host/database" if named else None
    if (relation is None) == (query is None):
        return (
            'a source in PostgreSQL needs one of relation = "schema.table" and query = "SELECT ..."'
        )
    return None


def _holds_password(address: str) -> bool:
    parts = urlsplit(address)
    options = (name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return ":" in parts.netloc.rpartition("@")[0] or any(map(SECRET.search, options))
