from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.errors import SettingsError
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    BetaGeoParams,
    GammaGammaModel,
    GammaGammaParams,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
    ParetoNBDParams,
)
from patronage.models.betageobetabinom import BetaGeoBetaBinomParams
from patronage.models.simulated_log import simulate_log

START, END = date(2025, 1, 1), date(2026, 1, 1)
PERIOD = {"start": START, "end": END}


def fitted(model, params):
    return type(model).with_params(**params._asdict())


TRUTHS = {
    "BG/NBD": (BetaGeoModel(), BetaGeoParams(0.8, 15.0, 0.8, 2.4)),
    "MBG/NBD": (ModifiedBetaGeoModel(), BetaGeoParams(0.8, 15.0, 0.8, 2.4)),
    "Pareto/NBD": (ParetoNBDModel(), ParetoNBDParams(0.8, 15.0, 0.6, 60.0)),
}
truths = pytest.mark.parametrize(("model", "params"), TRUTHS.values(), ids=TRUTHS.keys())


def histories(log, time_unit=1.0):
    """Frequency, recency and T with every transaction a purchase, in days and parts of days."""
    times = log.groupby("customer_id")["timestamp"].agg(["min", "max", "size"])
    seconds = 86_400 * time_unit
    return pd.DataFrame(
        {
            "frequency": times["size"] - 1,
            "recency": (times["max"] - times["min"]).dt.total_seconds() / seconds,
            "T": (pd.Timestamp(END) - times["min"]).dt.total_seconds() / seconds,
        }
    )


@truths
def test_a_fit_to_the_log_finds_the_parameters(model, params):
    log = simulate_log(fitted(model, params), customers=20_000, **PERIOD, seed=1)
    found = type(model)().fit(histories(log))
    errors = np.log(found.params_) - np.log(params)
    assert np.abs(errors / (np.array(found.standard_errors_) / found.params_)).max() < 4


@truths
def test_purchases_before_the_last_are_spread_evenly(model, params):
    log = simulate_log(fitted(model, params), customers=3000, **PERIOD, seed=2)
    times = (log["timestamp"] - pd.Timestamp(START)).dt.total_seconds()
    first, last = (times.groupby(log["customer_id"]).transform(end) for end in ("min", "max"))
    between = (times > first) & (times < last)
    place = ((times - first) / (last - first))[between]
    assert place.mean() == pytest.approx(0.5, abs=4 * 0.2887 / np.sqrt(len(place)))
    assert place.var() == pytest.approx(1 / 12, rel=0.05)


def test_regular_timing_has_even_gaps():
    spread = {}
    for k in (1, 4):
        model = BetaGeoCNBDModel.with_params(k=k, r=0.8, alpha=15.0 / k, a=0.01, b=2.4)
        log = simulate_log(model, customers=2000, **PERIOD, seed=3)
        seconds = log["timestamp"].astype("int64").groupby(log["customer_id"])
        gaps = seconds.diff().dropna()
        per_customer = gaps.groupby(log["customer_id"])
        many = per_customer.transform("size") > 20
        ratio = per_customer.transform("std") / per_customer.transform("mean")
        spread[k] = ratio[many].mean()
    assert spread[1] == pytest.approx(1, abs=0.05)
    assert spread[4] == pytest.approx(0.5, abs=0.05)


def test_opportunities_are_used_once_each():
    model = fitted(BetaGeoBetaBinomModel(), BetaGeoBetaBinomParams(1.2, 0.8, 0.7, 2.8))
    log = simulate_log(model, customers=500, **PERIOD, time_unit="W", seed=4)
    weeks = log.groupby("customer_id")["timestamp"].transform(lambda times: times - times.min())
    elapsed = weeks.dt.total_seconds() / (7 * 86_400)
    assert np.abs(elapsed - elapsed.round()).max() < 1e-5
    assert not log.assign(week=elapsed.round())[["customer_id", "week"]].duplicated().any()
    again = model.draw_customers(50_000, 20, np.random.default_rng(0))["frequency"].mean()
    young = log.groupby("customer_id").filter(
        lambda rows: pd.Timestamp(END) - rows["timestamp"].min() > pd.Timedelta(weeks=20)
    )
    within = elapsed.loc[young.index].round().between(1, 20)
    assert within.sum() / young["customer_id"].nunique() == pytest.approx(again, rel=0.1)


def test_every_customer_arrives_in_time_and_nothing_is_later():
    model = fitted(*TRUTHS["BG/NBD"])
    by = date(2025, 2, 1)
    log = simulate_log(model, customers=500, **PERIOD, last_arrival=by, seed=5)
    first = log.groupby("customer_id")["timestamp"].min()
    assert len(first) == 500
    assert first.between(pd.Timestamp(START), pd.Timestamp(by), inclusive="left").all()
    assert log["timestamp"].max() < pd.Timestamp(END)
    assert log["timestamp"].is_monotonic_increasing


def test_amounts_are_gamma_gamma():
    spend = fitted(GammaGammaModel(), GammaGammaParams(6.0, 4.0, 15.0))
    model = fitted(*TRUTHS["BG/NBD"])
    log = simulate_log(model, customers=20_000, **PERIOD, spend=spend, seed=6)
    table = histories(log).assign(monetary_value=log.groupby("customer_id")["amount"].mean())
    table["frequency"] += 1  # all purchases are in the mean
    found = GammaGammaModel().fit(table)
    errors = (np.array(found.params_) - spend.params_) / found.standard_errors_
    assert np.abs(errors).max() < 4


def test_weeks_and_days_are_the_same_customers():
    r, alpha, a, b = TRUTHS["BG/NBD"][1]
    days = fitted(BetaGeoModel(), BetaGeoParams(r, alpha, a, b))
    weeks = fitted(BetaGeoModel(), BetaGeoParams(r, alpha / 7, a, b))
    by_day = simulate_log(days, customers=2000, **PERIOD, seed=7)
    by_week = simulate_log(weeks, customers=2000, **PERIOD, time_unit="W", seed=7)
    assert len(by_day) == pytest.approx(len(by_week), rel=0.05)


def test_a_seed_repeats_the_log_and_another_does_not():
    model = fitted(*TRUTHS["BG/NBD"])
    logs = [simulate_log(model, customers=50, **PERIOD, seed=seed) for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(logs[0], logs[1])
    assert not logs[0].equals(logs[2])


def test_days_out_of_order_are_refused():
    model = fitted(*TRUTHS["BG/NBD"])
    with pytest.raises(SettingsError, match="start=2026-01-01, last_arrival=2025-01-01 and end"):
        simulate_log(model, customers=5, start=END, end=START, seed=0)
    with pytest.raises(SettingsError, match="customers=0 must be a whole number, 1 or more"):
        simulate_log(model, customers=0, **PERIOD, seed=0)
