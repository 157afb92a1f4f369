"""Churn scores of a Parquet file of features, streamed into another one."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import expit

from patronage.errors import DataError
from patronage.models.churn import P_NO_PURCHASE, ChurnModel

BATCH = 32_768
"""Rows at a time: a bound on memory that changes no result."""
READ_BYTES = 2**20
KEYS = ("customer_id", "as_of")
CHANCES = ("p_churn", "p_churn_low", "p_churn_high")
WAITING = 2
"""Batches that may wait for each thread."""


def score_parquet(
    model: ChurnModel,
    source: Path,
    to: Path,
    *,
    keys: Sequence[str] = KEYS,
    threads: int | None = None,
) -> int:
    """Write `p_churn`, `p_churn_low` and `p_churn_high` of every row of a Parquet file.

    Reading, scoring and writing go on at once, and memory does not grow with the file. The
    numbers are those of `ChurnModel.predict_interval`.

    Parameters
    ----------
    model
        A fitted model.
    source
        The columns `model.inputs`, one row per customer.
    to
        Gets the keys and the chances, in the order of the source; shown when it is complete.
    keys
        Columns that go along, those that are there.
    threads
        That score; all processors by default.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    DataError
        If a column that the model needs is not there.
    """
    partial = to.with_name(f".{to.name}.partial")
    workers = threads or os.cpu_count() or 1
    # Without these two, Arrow would hold what it has read of the file until the end.
    reading = {"pre_buffer": False, "buffer_size": READ_BYTES}
    with pq.ParquetFile(source, **reading) as file, ThreadPoolExecutor(workers) as pool:
        names = file.schema_arrow.names
        _refuse_missing(model, names, source)
        kept = [name for name in keys if name in names]
        schema = pa.schema(
            [*(file.schema_arrow.field(k) for k in kept), *((c, pa.float64()) for c in CHANCES)]
        )
        wanted = list(dict.fromkeys([*kept, *model.inputs]))
        batches = file.iter_batches(BATCH, columns=wanted)
        score = _scoring(model, schema, threads=1)
        rows = 0
        with pq.ParquetWriter(partial, schema, use_dictionary=kept) as writer:
            for scored in _in_order(pool, score, batches, waiting=WAITING * workers):
                writer.write_batch(scored)
                rows += scored.num_rows
    partial.replace(to)
    return rows


def _refuse_missing(model: ChurnModel, names: Sequence[str], source: Path) -> None:
    missing = [name for name in model.inputs if name not in names]
    if missing:
        raise DataError(
            f"{source} lacks {len(missing)} columns that the churn model needs: "
            f"{', '.join(missing)}. Build it with build_panel of the same release, and add "
            f"{P_NO_PURCHASE} from the value model."
        )


def _in_order(
    pool: ThreadPoolExecutor,
    score: Callable[[pa.RecordBatch], pa.RecordBatch],
    batches: Iterator[pa.RecordBatch],
    *,
    waiting: int,
) -> Iterator[pa.RecordBatch]:
    """Scored batches in their order, at most so many under way."""
    under_way: deque[Future[pa.RecordBatch]] = deque()
    for batch in batches:
        under_way.append(pool.submit(score, batch))
        if len(under_way) > waiting:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _scoring(
    model: ChurnModel, schema: pa.Schema, *, threads: int
) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """A function from a batch of features to its keys and chances."""
    calibration, kept = model.calibration_, [n for n in schema.names if n not in CHANCES]

    def scored(batch: pa.RecordBatch) -> pa.RecordBatch:
        start = _start(batch, model)
        trees = model.booster_.predict(
            batch_matrix(batch, model), raw_score=True, num_threads=threads
        )
        odds = calibration.predict_log_odds(start, np.asarray(trees))
        chances = [expit(odds), *calibration.interval(odds)]
        return pa.record_batch([*(batch.column(k) for k in kept), *chances], schema=schema)

    return scored


def _start(batch: pa.RecordBatch, model: ChurnModel) -> NDArray[Any]:
    if not model.start_.weight:
        return np.full(batch.num_rows, model.start_.base_odds)
    return model.start_.odds(_numbers(batch.column(P_NO_PURCHASE)))


def batch_matrix(batch: pa.RecordBatch, model: ChurnModel) -> NDArray[Any]:
    """The batch as the booster sees it, rows contiguous: float32 if all its numbers are."""
    codes = model.categories_
    columns = [batch.column(name) for name in model.features]
    single = all(
        name in codes or column.type == pa.float32()
        for name, column in zip(model.features, columns, strict=True)
    )
    x = np.empty((batch.num_rows, len(columns)), dtype=np.float32 if single else np.float64)
    for place, (name, column) in enumerate(zip(model.features, columns, strict=True)):
        x[:, place] = _codes(column, codes[name]) if name in codes else _numbers(column)
    return x


def _numbers(column: pa.Array) -> NDArray[Any]:
    """Null is NaN."""
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _codes(column: pa.Array, values: Sequence[str]) -> NDArray[Any]:
    known = pa.array(values, pa.string())
    return _numbers(pc.index_in(column.cast(pa.string()), value_set=known))
