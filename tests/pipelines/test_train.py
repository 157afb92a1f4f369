from datetime import date, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import CustomerTables, customer_days, day_table, mature_cutoffs
from patronage.models import BetaGeoModel, ModifiedBetaGeoModel, ParetoNBDModel
from patronage.models.scorer import CustomerScorer
from patronage.models.simulated_log import simulate_log
from patronage.models.training_panel import LabelRule, training_panel
from patronage.pipelines import judging, train
from patronage.pipelines.prepare import Prepared
from patronage.tracking.champion import LoadedModel

RULE = LabelRule(active_days=365, horizon_days=90, lead_days=7)
END = date(2025, 12, 31)


@pytest.fixture(scope="module")
def prepared():
    model = BetaGeoModel.with_params(r=1.0, alpha=20.0, a=1.0, b=3.0)
    log = simulate_log(model, customers=400, start=date(2025, 1, 1), end=END, seed=2)
    days = day_table(customer_days(log.assign(amount=10.0)))
    return Prepared(tables=CustomerTables(days), as_of=END, data_end=END, digest="")


@pytest.fixture(scope="module")
def cutoffs():
    return mature_cutoffs(
        first_day=date(2025, 1, 1), data_end=END, horizon_days=90, lead_days=7, count=12
    )


def test_the_choice_is_over_before_the_day_that_judges_it(prepared, cutoffs):
    choice = train._choose_purchases(prepared, cutoffs, RULE)
    assert choice.as_of in cutoffs
    assert choice.as_of + timedelta(days=choice.horizon_days) <= max(cutoffs)
    assert choice.horizon_days == 97


def test_no_room_for_a_choice_is_refused_with_the_days(prepared, cutoffs):
    with pytest.raises(DataError, match="newest cutoff is 2025-09-25, the oldest 2025-08-25"):
        train._choose_purchases(prepared, cutoffs[-2:], RULE)


def test_a_champion_whose_features_are_gone_is_not_compared(prepared, caplog):
    churn = SimpleNamespace(features=["visits_30"], cutoffs_=[date(2025, 1, 1)], categories_={})
    scorer = CustomerScorer(
        value=SimpleNamespace(purchases_=BetaGeoModel()),
        churn=churn,
        rule=RULE,
        value_horizon=365,
        margin=0.3,
        annual_discount_rate=0.1,
        currency="EUR",
        as_of=date(2025, 6, 1),
    )
    code = SimpleNamespace(unwrap_python_model=lambda: SimpleNamespace(scorer=scorer))
    champion = LoadedModel("4", "run", code)
    table = pd.DataFrame({"customer_id": ["a"], "as_of": [pd.Timestamp("2025-09-25")]})
    test = table.assign(eligible=True, frequency=1, recency=1, T=1, monetary_value=1)
    assert judging._if_fair(champion, RULE, test.assign(visits_30=0), prepared) is champion
    assert judging._if_fair(champion, RULE, test, prepared) is None
    assert (
        "champion 4 is not compared: it needs visits_30, not among the features of today"
        in caplog.text
    )


@pytest.mark.parametrize("model", [ModifiedBetaGeoModel(), ParetoNBDModel()])
def test_the_panel_is_of_the_model_that_was_chosen(prepared, cutoffs, model):
    asked = {"cutoffs": cutoffs[-1:], "rule": RULE, "data_end": END}
    panel = training_panel(prepared.tables, **asked, purchases=model)
    plain = training_panel(prepared.tables, **asked)
    fitted = type(model)().fit(panel)  # the eligible only: near enough to tell the models apart
    expected = fitted.probability_alive(panel).to_numpy()
    assert abs(panel["p_alive"] - expected).mean() < abs(plain["p_alive"] - expected).mean()
    pd.testing.assert_series_equal(panel["churned"], plain["churned"])
    assert not hasattr(model, "params_")
