from patronage.report.horizons import HEAD, horizon_rows, horizon_sentence

START = {"auc": 0.758, "log_loss": 0.468}
OURS = {"auc": 0.777, "log_loss": 0.456, "mean_predicted": 0.762}
MODELS = {"patronage": OURS, "p_no_purchase": START}
ONE = {"as_of": "2011-09-11", "n": 4302, "churn_rate": 0.754, "models": MODELS}
METRICS = {"test": ONE, "further_horizons": {"120": ONE, "30": ONE}}


def test_the_main_horizon_comes_first_then_the_shortest():
    rows = horizon_rows(METRICS, 90)
    assert [row[0] for row in rows] == ["90 days", "30 days", "120 days"]
    assert {len(row) for row in rows} == {len(HEAD)}
    assert rows[1][1:] == (
        ["2011-09-11", "4,302", "75.4%", "76.2%", "0.777", "0.456", "0.758", "0.468"]
    )


def test_the_main_horizon_alone_needs_no_table():
    assert horizon_rows({"test": ONE}, 90) == []
    assert horizon_rows(METRICS, None) == []


def test_a_horizon_is_told_in_a_sentence():
    assert horizon_sentence("30", ONE) == (
        "30 days, as of 2011-09-11: 75.4% of 4,302 left, 76.2% were predicted; log loss 0.4560 "
        "(value model 0.4680), AUC 0.7770 (0.7580)"
    )
