"""A churn model with texts among its features, registered and loaded again."""

import pandas as pd

from patronage.tracking.champion import load_version
from patronage.tracking.store import open_store
from patronage.tracking.training_run import log_training


def test_texts_pass_through_the_registry(record, tmp_path):
    store = open_store(tmp_path / "mlruns", experiment="texts")
    registered = log_training(store, record, name="texts")
    loaded = load_version(store, registered.version)
    inputs = loaded.pyfunc.metadata.get_input_schema().to_dict()
    assert {"plan": "string", "frequency": "double"}.items() <= {
        column["name"]: column["type"] for column in inputs
    }.items()
    expected = record.scorer.score(record.test)
    pd.testing.assert_frame_equal(loaded.score(record.test), expected)
    stored = record.test.assign(plan=record.test["plan"].astype("str"))
    pd.testing.assert_frame_equal(loaded.score(stored), expected)
    by_plan = expected["p_churn"].groupby(record.test["plan"], observed=True).mean()
    assert by_plan["gold"] > by_plan["basic"] + 0.2
