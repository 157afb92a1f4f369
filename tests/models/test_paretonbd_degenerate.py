import re

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.models import ParetoNBDModel


def customers(*rows):
    x, t_x, T = zip(*rows, strict=True)
    return pd.DataFrame({"customer_id": range(len(rows)), "frequency": x, "recency": t_x, "T": T})


def no_dropout(rng):
    x = rng.integers(100, 400, 500)
    return x, 500 - rng.exponential(500 / x), np.full(500, 500.0)


def one_rate(rng):
    """Even more regular than chance."""
    stay = np.minimum(rng.exponential(1 / rng.gamma(0.7, 1 / 60, 2000)), 365)
    x = np.floor(stay / 20)
    return x, 20 * x, np.full(2000, 365.0)


def one_rate_of_leaving(rng):
    stay = np.minimum(rng.exponential(50, 5000), 365)
    x = rng.poisson(rng.gamma(1, 1 / 20, 5000) * stay)
    last = stay * rng.uniform(size=5000) ** (1 / np.maximum(x, 1))
    return x, np.where(x > 0, last, 0), np.full(5000, 365.0)


DEGENERATE = {
    "nobody leaves": (no_dropout, "500 with a repeat.*no dropout can be identified"),
    "one rate": (one_rate, "no heterogeneity of purchase rates"),
    "one rate of leaving": (one_rate_of_leaving, "of the rate of leaving .*, 7.* in the longest T"),
    "one customer": (lambda _: ([3], [5.0], [10.0]), "these 1 customers.*too few"),
}


@pytest.mark.parametrize(("data", "cause"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named(data, cause):
    x, t_x, T = data(np.random.default_rng(1))
    table = customers(*zip(x, t_x, T, strict=True))
    model = ParetoNBDModel().fit(table)
    assert not model.converged_
    assert re.search(cause, model.diagnosis_)
    assert np.isnan(model.standard_errors_).all()
    assert np.isfinite(model.expected_purchases(table, 30)).all()
    assert ParetoNBDModel.from_dict(model.to_dict()).diagnosis_ == model.diagnosis_


def test_one_time_buyers_alone_are_refused():
    table = customers((0, 0, 10), (0, 0, 20))
    with pytest.raises(DataError, match="frequency is 0 for all 2 customers"):
        ParetoNBDModel().fit(table)


@pytest.mark.parametrize("data", [case[0] for case in DEGENERATE.values()], ids=DEGENERATE.keys())
def test_a_weak_prior_gives_an_answer(data):
    x, t_x, T = data(np.random.default_rng(1))
    table = customers(*zip(x, t_x, T, strict=True))
    model = ParetoNBDModel(prior="weak").fit(table)
    assert model.converged_
    assert np.isfinite(model.standard_errors_).all()
    hours = table.assign(recency=table["recency"] * 24, T=table["T"] * 24)
    np.testing.assert_allclose(
        ParetoNBDModel(prior="weak").fit(hours).expected_purchases(hours, 24 * 30),
        model.expected_purchases(table, 30),
        rtol=1e-8,
    )
    assert ParetoNBDModel().fit(table).log_likelihood_ > model.log_likelihood_
