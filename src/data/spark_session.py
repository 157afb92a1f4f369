"""The Spark session of a run, set so that it means by a value what DuckDB means by it."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from patronage.config import EngineSection
from patronage.errors import SettingsError

RECORDS_PER_BATCH = 100_000
_FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(RECORDS_PER_BATCH),
}
"""What results hang on; options of the settings cannot change it."""
_USUAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "FATAL",
}


def spark_session(engine: EngineSection) -> Any:
    """The session of this process, started if there is none; a session that runs is used as it is.

    Raises
    ------
    SettingsError
        If PySpark is not installed, an option contradicts what results hang on, or the session
        cannot be started.
    """
    fixed = sorted(_FIXED.keys() & engine.spark_options.keys())
    if fixed:
        raise SettingsError(
            f"[engine.spark_options] {fixed[0]} cannot be set: results hang on its value, "
            f"{_FIXED[fixed[0]]}."
        )
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SettingsError(
            "[engine] name = \"spark\" needs PySpark and Java 17: pip install 'patronage[spark]'"
        ) from error
    if engine.spark_master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # the tasks' Python is this one
    builder = SparkSession.builder.appName("patronage").master(engine.spark_master)
    options = _USUAL | _local(engine.spark_master) | engine.spark_options | _FIXED
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        with arrow_only():
            return builder.getOrCreate()
    except spark_errors() as error:
        raise SettingsError(
            f"Spark cannot be started at [engine] spark_master = {engine.spark_master!r}: "
            f"{cause(error)}"
        ) from error


def spark_errors() -> tuple[type[Exception], ...]:
    """What PySpark raises, the bridge to Java below it, and the start of Java."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError, RuntimeError


_RAISED = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt): ")


def cause(error: Exception) -> str:
    """What a Python task raised, or else the first line of Spark's own message."""
    java = getattr(error, "java_exception", None)
    message = str(error) if java is None else str(java.getMessage())
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    raised = (line for line in lines if _RAISED.match(line) and not line.startswith("pyspark."))
    return next(raised, (lines or [type(error).__name__])[0]).removeprefix("patronage.errors.")


def _local(master: str) -> dict[str, str]:
    """On this machine alone: no address that others see, and few partitions."""
    if not master.startswith("local"):
        return {}
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "8",
    }


@contextmanager
def arrow_only() -> Iterator[None]:
    """Silence PySpark's warning of pandas 3: only Arrow crosses its border here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        yield


def in_arrow(frame: Any, function: Any, schema: str) -> Any:
    """Apply a function from Arrow batches to Arrow batches to each partition of a Spark frame."""
    with arrow_only():
        return frame.mapInArrow(function, schema)
