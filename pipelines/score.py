"""Scoring in batches: customers in, one row per customer out, by the registered champion."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from patronage.config import Settings
from patronage.features import Feature, build_panel, features_of
from patronage.pipelines.prepare import Prepared, label_rule
from patronage.pipelines.run_folder import RunFolder
from patronage.tracking.champion import LoadedModel

CUSTOMERS = "customers.parquet"
FEATURES_SEEN = "features.parquet"
KEY = ("customer_id", "as_of", "run_id", "model_version", "eligible")


def score(settings: Settings, prepared: Prepared, run: RunFolder, model: LoadedModel) -> Path:
    """Score every customer; writes customers.parquet and the features that were scored."""
    shape, schema = _customers_schema(model), _features_schema(features_of(prepared.tables))
    with run.step("score"):
        counts = {"customers": 0, "eligible": 0}
        with (
            pq.ParquetWriter(run.path / CUSTOMERS, shape) as customers,
            pq.ParquetWriter(run.path / FEATURES_SEEN, schema) as seen,
        ):
            for features in feature_batches(settings, prepared):
                scored = _scored(features, run.run_id, model)
                customers.write_table(_arrow(scored, shape))
                seen.write_table(_arrow(features[features["eligible"]], schema))
                counts["customers"] += len(scored)
                counts["eligible"] += int(scored["eligible"].sum())
    run.manifest["counts"]["scored"] = counts
    run.manifest["model_version"] = model.version
    return run.path / CUSTOMERS


def feature_batches(settings: Settings, prepared: Prepared) -> Iterator[pd.DataFrame]:
    """Features as of the day of the run, for so many customers at a time."""
    for chunk in prepared.tables.chunks(settings.run.batch_customers):
        features = build_panel(
            chunk, cutoffs=[prepared.as_of], active_days=settings.features.active_days
        )
        yield label_rule(settings).with_eligible(features)


def _scored(features: pd.DataFrame, run_id: str, model: LoadedModel) -> pd.DataFrame:
    keys = features[["customer_id", "as_of", "eligible"]].assign(
        run_id=run_id, model_version=model.version
    )
    return pd.concat([keys, model.score(features)], axis=1)


def _customers_schema(model: LoadedModel) -> pa.Schema:
    types = {"as_of": pa.date32(), "eligible": pa.bool_()}
    keys = [(name, types.get(name, pa.string())) for name in KEY]
    return pa.schema([*keys, *((name, pa.float64()) for name in model.scorer.scores)])


def _features_schema(features: Sequence[Feature]) -> pa.Schema:
    types = {"text": pa.string()}
    columns = ((feature.name, types.get(feature.unit, pa.float64())) for feature in features)
    return pa.schema([("customer_id", pa.string()), ("as_of", pa.date32()), *columns])


def _arrow(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Rows as Arrow; what is undefined is null there, never NaN."""
    dated = rows.assign(as_of=rows["as_of"].dt.date)
    return pa.Table.from_pandas(dated[schema.names], schema=schema, preserve_index=False)
