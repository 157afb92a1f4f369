"""What a run says of the feature families is what the scored features hold."""

import json

import pandas as pd
import pytest

from patronage.features.catalogue import EMPTY, FAMILIES, SAYS_NOTHING, why_empty
from patronage.features.event_kinds import COMPLAINT, VISIT
from patronage.pipelines.families import families_used, silent_columns

FAMILIES_BUILT = {
    "built": {"rfm": 2, "service": 2, "survey": 1},
    "columns": {
        "rfm": ["frequency", "T"],
        "service": ["complaints", "days_since_complaint"],
        "survey": ["nps_last"],
    },
    "event_kinds": [VISIT],
}


@pytest.fixture
def features_seen(tmp_path):
    table = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "frequency": [1.0, 2.0, 3.0],
            "T": [9.0, 9.0, 9.0],
            "complaints": 0.0,
            "days_since_complaint": [None, None, None],
            "nps_last": [3.0, None, 9.0],
        }
    ).astype({"days_since_complaint": float})
    path = tmp_path / "features.parquet"
    table.to_parquet(path, row_group_size=2)
    return path


def test_columns_with_one_value_at_most_are_silent(features_seen):
    assert silent_columns(features_seen) == {"T", "complaints", "days_since_complaint"}


def test_one_customer_tells_nothing_of_constants(features_seen):
    pd.read_parquet(features_seen).head(1).to_parquet(features_seen)
    assert silent_columns(features_seen) == set()


def test_a_family_is_used_empty_or_unknown(features_seen):
    known = ["frequency", "complaints", "p_no_purchase", "long_gone"]
    assert families_used(FAMILIES_BUILT, features_seen, known) == {
        "used": {"rfm": 1},
        "empty": {"service": "there are no events of the kind complaint or complaint_resolved"},
    }


def test_a_family_of_events_that_are_there_is_not_said_to_lack_them():
    assert why_empty("service", [COMPLAINT]) == SAYS_NOTHING
    assert why_empty("returns", []) == EMPTY["returns"]


def test_every_family_of_events_names_its_kinds():
    assert {one.name for one in FAMILIES if one.needs == "events"} == {
        one.name for one in FAMILIES if one.kinds
    }


def test_the_report_tells_the_demo_what_its_data_lack(finished):
    latest = finished.parent / "outputs" / "latest"
    families = json.loads((latest / "manifest.json").read_text())["families"]
    assert set(families["empty"]) == {"price", "returns"}
    assert families["used"].keys() & families["empty"].keys() == set()
    page = (latest / "report.html").read_text()
    assert "built, but empty: no transaction has a negative amount" in page
    assert "Model version 1 uses" in page
