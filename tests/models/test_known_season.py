from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.features import customer_days, day_table
from patronage.models import BetaGeoModel, SeasonalModel
from patronage.models.known_season import with_known_season

NOW = date(2022, 1, 1)


@pytest.fixture(scope="module")
def log():
    """Two years in which twice as many buy from October to December, and a third after NOW."""
    rng = np.random.default_rng(0)
    calendar = pd.date_range("2020-01-01", "2022-12-31")
    share = np.where(calendar.month >= 10, 0.02, 0.01)
    share[calendar.year == 2022] = 0.03
    bought = rng.random((len(calendar), 600)) < share[:, None]
    when, who = np.nonzero(bought)
    columns = {"customer_id": who.astype(str), "timestamp": calendar[when], "amount": 10.0}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def days(log):
    return day_table(customer_days(log))


def test_an_early_cutoff_gets_the_season_known_later(days):
    model = with_known_season(SeasonalModel(BetaGeoModel()), days, as_of=NOW, ahead_days=90)
    early = model.fit_days(days, as_of=date(2020, 9, 1))
    by_day = early.season_.factors(date(2020, 7, 1), date(2020, 12, 31))
    assert by_day["2020-11"].mean() > 1.5 * by_day["2020-08"].mean()


def test_nothing_after_the_day_of_knowledge_enters(log, days):
    model = SeasonalModel(BetaGeoModel())
    before = day_table(customer_days(log[log["timestamp"] < pd.Timestamp(NOW)]))
    one, other = (
        with_known_season(model, table, as_of=NOW, ahead_days=90).season.factors
        for table in (days, before)
    )
    pd.testing.assert_series_equal(one, other)


def test_a_model_without_season_is_given_back(days):
    model = BetaGeoModel()
    assert with_known_season(model, days, as_of=NOW, ahead_days=90) is model
