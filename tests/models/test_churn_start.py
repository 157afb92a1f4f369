import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from patronage.models.churn import ChurnModel
from patronage.models.churn_start import Start

CUTOFFS = pd.date_range("2020-01-31", periods=12, freq="MS").as_unit("s")
ROWS = 400


def make_panel(*, bold, seed=0):
    """Churn follows `away`; p_no_purchase says the same, its log-odds times `bold` and noisy."""
    rng = np.random.default_rng(seed)
    n = ROWS * len(CUTOFFS)
    away = rng.normal(size=n)
    odds = -1.5 + away
    said = -1.5 + bold * away + (bold - 1) * rng.normal(size=n)
    panel = pd.DataFrame(
        {
            "as_of": np.repeat(CUTOFFS, ROWS),
            "away": away,
            "p_no_purchase": expit(said).clip(0.001, 0.999),
        }
    )
    return panel, pd.Series((rng.random(n) < expit(odds)).astype(int))


def fitted(panel, churned):
    return ChurnModel(["away"], label_days=60, trials=1).fit(panel, churned)


def test_a_value_model_that_knows_is_followed_all_the_way():
    start = fitted(*make_panel(bold=1.0)).start_
    assert start.weight == 1
    assert start.tried[1.0] < start.tried[0.5]


def test_a_value_model_that_is_too_bold_is_followed_part_of_the_way():
    panel, churned = make_panel(bold=4.0)
    model = fitted(panel, churned)
    assert model.start_.weight < 1
    assert model.start_.tried[model.start_.weight] < model.start_.tried[1.0] - 0.001
    base = model.start_.base_odds
    assert base == pytest.approx(logit(churned.mean()))
    shares = model.contributions(panel)
    rest = logit(model.predict_proba(panel)) - shares.sum(axis=1)
    assert rest.to_numpy() == pytest.approx(rest.iloc[0], abs=1e-6)


def test_too_few_cutoffs_to_tell_leave_the_start_whole():
    panel, churned = make_panel(bold=4.0)
    early = panel["as_of"] <= CUTOFFS[3]
    start = fitted(panel[early], churned[early]).start_
    assert (start.weight, start.tried) == (1.0, {})


def test_without_weight_the_value_model_is_not_asked_for():
    panel, churned = make_panel(bold=1.0)
    model = ChurnModel(["away"], label_days=60, trials=1, from_value_model=False)
    model.fit(panel, churned)
    assert model.inputs == ["away"]
    without = panel.drop(columns="p_no_purchase")
    assert model.predict_proba(without).equals(model.predict_proba(panel))


def test_a_start_lies_between_the_base_and_the_value_model():
    p = np.array([0.02, 0.5, 0.97])
    assert Start(0.3, 1.0, {}).odds(p) == pytest.approx(logit(p), abs=1e-12)
    assert Start(0.3, 0.0, {}).odds(p) == pytest.approx([0.3] * 3)
    assert Start(0.3, 0.25, {}).odds(p) == pytest.approx(0.3 + (logit(p) - 0.3) / 4)


def test_survives_json():
    start = Start(-1.25, 0.25, {1.0: 0.4, 0.5: 0.35, 0.25: 0.34})
    assert Start.from_dict(json.loads(json.dumps(start.to_dict()))) == start
