import numpy as np
import pandas as pd

from patronage.models import BetaGeoModel, CustomerValueModel, GammaGammaModel, ParetoNBDModel
from patronage.models.backtest import backtest_value
from patronage.models.interval_coverage import with_weak_prior
from patronage.models.seasonal_model import SeasonalModel


def one_rate_of_leaving(customers=5000):
    """The rate of leaving does not differ, so that s and beta have no finite estimate."""
    rng = np.random.default_rng(1)
    stay = np.minimum(rng.exponential(50, customers), 365)
    x = rng.poisson(rng.gamma(1, 1 / 20, customers) * stay)
    last = stay * rng.uniform(size=customers) ** (1 / np.maximum(x, 1))
    known = {"frequency": x, "recency": np.where(x > 0, last, 0), "T": 365.0}
    return pd.DataFrame({"customer_id": range(customers), **known, "holdout_purchases": 0})


def test_a_fit_at_a_limit_has_the_coverage_of_a_weak_prior():
    known = one_rate_of_leaving()
    assert not ParetoNBDModel().fit(known).converged_
    backtest = backtest_value(known, [ParetoNBDModel()], horizon=30, rivals=False)
    (row,) = backtest.table.to_dict("records")
    assert 0 < row["coverage"] <= 1
    assert row["coverage_stated"] >= 0.9
    assert "The best estimate of Pareto/NBD lies at a limit on these 5,000 customers" in row["note"]
    assert row["note"].endswith("Intervals of purchases: of a fit with a weak prior.")
    assert "prior=" not in row["note"]


def test_every_prior_of_a_copy_is_weak():
    value = CustomerValueModel(SeasonalModel(BetaGeoModel()), GammaGammaModel())
    weak = with_weak_prior(value)
    assert weak.purchases.purchases.prior == weak.spend.prior == "weak"
    assert value.spend.prior is None
