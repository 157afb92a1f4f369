from datetime import date

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from patronage.errors import SettingsError
from patronage.features import customer_days, day_table, rfm_summary
from patronage.models import (
    BetaGeoModel,
    GammaGammaModel,
    ModifiedBetaGeoModel,
    backtest_value,
    simulate_log,
)
from patronage.report import (
    conditional_chart,
    conditional_purchases,
    decile_chart,
    frequency_recency_chart,
    frequency_recency_matrix,
    period_transactions,
    period_transactions_chart,
)

CUTOFF = date(2025, 10, 1)


@pytest.fixture(scope="module")
def days():
    model = BetaGeoModel.with_params(r=0.8, alpha=20.0, a=0.8, b=2.5)
    spend = GammaGammaModel.with_params(p=5, q=4, v=20)
    log = simulate_log(
        model, customers=1500, start=date(2025, 1, 1), end=date(2026, 1, 1), spend=spend, seed=3
    )
    return day_table(customer_days(log))


@pytest.fixture(scope="module")
def rfm(days):
    return rfm_summary(days, as_of=CUTOFF)


@pytest.fixture(scope="module")
def model(rfm):
    return BetaGeoModel().fit(rfm)


@pytest.fixture(scope="module")
def backtest(days):
    models = [BetaGeoModel(), ModifiedBetaGeoModel()]
    return backtest_value(days, models, cutoff=CUTOFF, horizon=90, spend=GammaGammaModel())


def labels(figure):
    return [text.get_text() for text in figure.axes[0].get_xticklabels()]


def heights(figure):
    return [[bar.get_height() for bar in bars] for bars in figure.axes[0].containers]


def test_period_transactions_count_every_customer_once(model, rfm):
    table = period_transactions(model, rfm, max_frequency=5)
    assert table["actual"].tolist() == [
        *(int((rfm["frequency"] == n).sum()) for n in range(5)),
        int((rfm["frequency"] >= 5).sum()),
    ]
    assert table["expected"].sum() == pytest.approx(len(rfm))


def test_expected_period_transactions_are_what_simulation_gives(model, rfm):
    table = period_transactions(model, rfm)
    drawn = model.draw_customers(400 * len(rfm), np.tile(rfm["T"], 400), np.random.default_rng(1))
    counts = np.bincount(np.minimum(drawn["frequency"], 7)) / 400
    assert table["expected"].to_numpy() == pytest.approx(counts, rel=0.02)


def test_many_lengths_of_time_are_taken_together(model, rfm):
    spread = rfm.assign(T=rfm["T"] + np.random.default_rng(2).uniform(0, 1, len(rfm)))
    whole = rfm.assign(T=rfm["T"] + 0.5)
    expected = period_transactions(model, whole)["expected"].to_numpy()
    assert period_transactions(model, spread)["expected"].to_numpy() == pytest.approx(
        expected, rel=0.01
    )


def test_period_chart_draws_the_table(model, rfm):
    figure = period_transactions_chart(model, rfm, max_frequency=5)
    table = period_transactions(model, rfm, max_frequency=5)
    assert heights(figure) == [table["actual"].tolist(), table["expected"].tolist()]
    assert labels(figure) == ["0", "1", "2", "3", "4", "5+"]


def test_frequency_recency_matrix_is_the_models(model):
    matrix = frequency_recency_matrix(model, horizon=90, age=365, max_frequency=6)
    history = {"customer_id": ["a"], "frequency": 4, "recency": 365 - matrix.columns[9], "T": 365.0}
    expected = model.expected_purchases(pd.DataFrame(history), 90).iloc[0]
    assert matrix.loc[4].iloc[9] == pytest.approx(expected)
    figure = frequency_recency_chart(model, horizon=90, age=365, max_frequency=6, unit="days")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, matrix)
    assert "in 90 days of a customer of 365 days" in figure.axes[0].get_title(loc="left")


def test_conditional_purchases_are_means_of_the_backtest(backtest):
    table = conditional_purchases(backtest, max_frequency=4)
    customers = backtest.customers
    heavy = customers["frequency"] >= 4
    assert table["n"].sum() == len(customers)
    assert table.loc[4, "actual"] == customers.loc[heavy, "holdout_purchases"].mean()
    ours = backtest.forecasts[0].purchases[heavy.to_numpy()].mean()
    assert table.loc[4, "BetaGeoModel"] == pytest.approx(ours)


def test_conditional_chart_draws_the_forecasts_asked_for(backtest):
    figure = conditional_chart(backtest, ["BetaGeoModel"], max_frequency=4)
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["actual", "BetaGeoModel"]
    assert labels(figure)[-1] == "4+"
    assert len(conditional_chart(backtest).axes[0].get_lines()) == 5


def test_decile_chart_draws_the_deciles(backtest):
    figure = decile_chart(backtest, "BetaGeoModel", target="spend")
    deciles = backtest.deciles.query("model == 'BetaGeoModel' and target == 'spend'")
    assert heights(figure) == [deciles["actual"].tolist(), deciles["predicted"].tolist()]
    assert isinstance(figure, Figure)


def test_an_unknown_model_is_refused_with_the_known(backtest):
    with pytest.raises(SettingsError, match="'Oracle' has no forecast of purchases.*BetaGeoModel"):
        decile_chart(backtest, "Oracle")


def test_no_figure_is_kept_by_pyplot(backtest, model, rfm):
    import matplotlib.pyplot as plt

    conditional_chart(backtest)
    period_transactions_chart(model, rfm)
    assert plt.get_fignums() == []
