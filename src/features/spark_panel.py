"""The panel on a Spark cluster: the same kernels, over the customers of one partition at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from patronage.data.spark_session import in_arrow
from patronage.data.spark_table import arrow_of
from patronage.errors import DataError, SettingsError
from patronage.features.arrays import day_number
from patronage.features.customer_tables import PURCHASED, EndKnown, TableName
from patronage.features.day_table import DayTable
from patronage.features.family import Family
from patronage.features.labels import ChurnLabels
from patronage.features.own_feature import OwnFeature
from patronage.features.own_tables import with_features
from patronage.features.purchased_categories import purchases_by
from patronage.features.sampling import drawn
from patronage.features.spark_expressions import spark_expressions
from patronage.features.spark_panel_task import DAYS, TAG, PanelTask


def spark_panel(
    days: Any,
    *,
    cutoffs: Sequence[date],
    tables: Mapping[str, Any] | None = None,
    active_days: int | None = None,
    eligible_only: bool = False,
    end_known: EndKnown = "at_end",
    features: Sequence[OwnFeature] = (),
    labels: ChurnLabels | None = None,
    sample: float = 1.0,
    seed: int = 0,
    families: Sequence[Family] = (),
    partitions: int | None = None,
) -> Any:
    """Every feature of every customer at every cutoff, as a Spark frame; see `write_panel`.

    Rows are hashed by customer into partitions; each task holds the rows of its customers, orders
    them and computes a batch of customers at a time. Only the first and the last day of the data
    come to the driver, and with own expressions the rows of a few customers. Write it:
    `spark_panel(...).write.partitionBy("as_of").parquet(folder)`.

    Parameters
    ----------
    days
        The output of `customer_days` on a Spark frame.
    cutoffs, active_days, eligible_only, labels, families
        As for `write_panel`.
    tables
        Optional tables as Spark frames, by the names that `CustomerTables` has for them; and
        "transactions", of which categories and channels are made where they are not given, and
        own expressions over transactions.
    end_known
        As for `customer_tables`.
    features
        Features of your own, such as `own_features(["my_features.py"], folder=...)` finds. Their
        functions travel to the executors, where what they import must be installed; expressions
        are computed by Spark. One that needs another table is left out.
    sample, seed
        A share of the customers, drawn by their id as everywhere; see `drawn`.
    partitions
        Number of tasks; by default `spark.sql.shuffle.partitions`.

    Returns
    -------
    pyspark.sql.DataFrame
        customer_id, as_of (date), eligible; the features as double, or as string where their unit
        is "text"; the labels as tinyint. Null where undefined or not known.

    Raises
    ------
    DataError
        If there is no customer day, no label of a cutoff is known yet, or an own expression cannot
        be computed.
    SettingsError
        If the sample is no share, or the name of an own feature is taken.
    """
    _refuse_number(sample, seed)
    _refuse_unknown(tables or {}, features)
    if labels is not None:
        labels.refuse_immature(cutoffs)
    given = {name: nw.to_native(frame, pass_through=True) for name, frame in (tables or {}).items()}
    native = _native(nw.to_native(days, pass_through=True), given)
    first, last = _extent(native[DAYS])
    task = PanelTask(
        cutoffs=tuple(cutoffs),
        tables=tuple(name for name in get_args(TableName) if name in native),
        active_days=active_days,
        eligible_only=eligible_only,
        end_known=end_known,
        first_day=first,
        last_day=last,
        labels=labels,
        families=tuple(families),
    )
    task = _with_own(task, features, given, native)
    over_tables = [own for own in task.own if own.table is not None]
    values = spark_expressions(over_tables, given, cutoffs, end_known=end_known)
    task = replace(task, expressions=tuple(values))
    by_customer = (partitions, "customer_id") if partitions else ("customer_id",)
    rows = _sampled(_together(native | values), sample, seed).repartition(*by_customer)
    return in_arrow(rows, task, _schema(task, native))


def _refuse_number(sample: float, seed: int) -> None:
    """Whether a customer is among the n lowest hashes hangs on all others, on other partitions."""
    if isinstance(sample, int) and sample != 1:
        raise SettingsError(
            f"sample={sample} customers cannot be drawn on Spark. Give a share of them, such as "
            "0.1."
        )
    drawn(pd.Index([], dtype="str"), float(sample), seed=seed)


def _refuse_unknown(tables: Mapping[str, Any], features: Sequence[OwnFeature]) -> None:
    known = ("transactions", *get_args(TableName))
    for name in tables:
        if name not in known:
            raise SettingsError(f"tables has {name}, which is none of {', '.join(known)}.")
    for one in features:
        if one.table == "transactions" and "transactions" not in tables:
            raise DataError(
                f"{one.place} is over transactions, and there are only customer days. Give them "
                'as well: tables={"transactions": transactions}.'
            )


def _native(days: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What goes to the tasks, by name: customer days, and the tables that features look up."""
    native = {
        DAYS: days,
        **{name: frame for name, frame in given.items() if name != "transactions"},
    }
    for name, column in PURCHASED.items():
        if "transactions" in given and name not in native:
            bought = purchases_by(given["transactions"], column)
            native |= {} if bought is None else {name: bought.to_native()}
    return native


def _with_own(
    task: PanelTask,
    features: Sequence[OwnFeature],
    given: Mapping[str, Any],
    native: Mapping[str, Any],
) -> PanelTask:
    """The task with the features of the user's own that the tables allow."""
    tables = replace(task.with_records(NOBODY, _empty(task, native)), sources=given)
    return replace(task, own=with_features(tables, features).own)


def _extent(days: Any) -> tuple[int, int]:
    """First and last day of all data: history begins there for every customer."""
    [found] = arrow_of(days.selectExpr("min(day) AS first", "max(day) AS last")).to_pylist()
    if found["first"] is None:
        raise DataError("there is no customer day: no transaction was kept.")
    return day_number(found["first"]), day_number(found["last"])


def _together(frames: Mapping[str, Any]) -> Any:
    """All tables in one frame, so that one shuffle brings a customer's rows to the same task."""
    from pyspark.sql import functions as F

    tagged = [
        frame.select(
            "customer_id",
            F.lit(name).alias(TAG),
            *(
                F.col(f"`{column}`").alias(f"{name}:{column}")
                for column in frame.columns
                if column != "customer_id"
            ),
        )
        for name, frame in frames.items()
    ]
    together = tagged[0]
    for frame in tagged[1:]:
        together = together.unionByName(frame, allowMissingColumns=True)
    return together


def _sampled(rows: Any, sample: float, seed: int) -> Any:
    """The rows of the customers drawn, before they travel."""
    if sample == 1:
        return rows
    from pyspark.sql.pandas import functions

    arrow_udf: Any = functions.arrow_udf

    def chosen(ids: pa.Array) -> pa.Array:
        mask = np.zeros(len(ids), dtype=bool)
        mask[drawn(pd.Index(ids.to_pylist(), dtype=object), sample, seed=seed)] = True
        return pa.array(mask)

    return rows.where(arrow_udf(chosen, "boolean")("customer_id"))


def _schema(task: PanelTask, native: Mapping[str, Any]) -> str:
    """Columns of the panel; some hang on those of the user's tables, so empty ones are asked."""
    tables = task.with_records(NOBODY, _empty(task, native))
    keys = ("customer_id string", "as_of date", "eligible boolean")
    types = (
        (one.name, "string" if one.unit == "text" else "double") for one in task.features_of(tables)
    )
    labels = task.labels.names if task.labels is not None else ()
    return ", ".join(
        (
            *keys,
            *(f"`{name}` {kind}" for name, kind in types),
            *(f"`{name}` tinyint" for name in labels),
        )
    )


def _empty(task: PanelTask, native: Mapping[str, Any]) -> dict[TableName, pa.Table]:
    return {name: arrow_of(native[name].limit(0)) for name in task.tables}


NOBODY = DayTable(
    customer_ids=pd.Index([], dtype="str"),
    offsets=np.zeros(1, np.int64),
    day=np.zeros(0, np.int32),
    measures={},
    first_day=0,
    last_day=0,
)
