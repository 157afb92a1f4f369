from patronage.report.quality import METRIC_NAMES, quality_rows, quality_sentence

RANKS = {"auc": 0.7, "average_precision": 0.5, "top_decile_lift": 2.0, "log_loss": None}
METRICS = {
    "test": {"as_of": "1998-01-01", "n": 1234, "models": {"patronage": {"auc": 0.7812}}},
}


def test_patronage_comes_first_and_none_is_a_dash():
    rows = quality_rows({"recency": RANKS, "own_rule": RANKS, "patronage": {"auc": 0.81234}})
    assert [row[0] for row in rows] == ["patronage", "Days since last purchase", "own_rule"]
    assert {len(row) for row in rows} == {len(METRIC_NAMES) + 1}
    assert rows[0][1:3] == ["0.812", "–"]
    assert rows[1][1:4] == ["0.700", "0.500", "–"]


def test_the_auc_is_said_in_words():
    assert quality_sentence(METRICS).startswith("Of one customer who left and one who stayed")
    assert "in 78 of 100 cases" in quality_sentence(METRICS)
    assert "1,234 customers as of 1998-01-01" in quality_sentence(METRICS)
