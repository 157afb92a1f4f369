"""The panel and the labels against plain pandas, one customer and one cutoff at a time."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.features import build_panel, churn_labels, customer_days, day_table

CUTOFFS = [date(2026, 2, 15), date(2026, 7, 1), date(2027, 1, 10)]
ACTIVE_DAYS = 90


def random_ledger(seed):
    rng = np.random.default_rng(seed)
    n_lines = 700
    amount = rng.uniform(1, 100, n_lines).round(2)
    minutes = rng.integers(0, 450 * 1440, n_lines)
    return pd.DataFrame(
        {
            "customer_id": rng.zipf(1.4, n_lines) % 40,
            "timestamp": pd.Timestamp("2026-01-01") + pd.to_timedelta(minutes, unit="min"),
            "amount": np.where(rng.random(n_lines) < 0.15, -amount, amount),
            "product_id": rng.integers(0, 12, n_lines),
            "quantity": rng.integers(1, 5, n_lines),
        }
    )


def expected_row(lines, as_of):
    """A dozen features of one customer's lines before as_of, the long way round."""
    bought = lines[lines["amount"] >= 0].assign(day=lambda t: t["timestamp"].dt.normalize())
    lines = lines[lines["timestamp"] >= bought["day"].min()]
    days = pd.Series(sorted(set(bought["day"])))
    gaps = days.diff().dt.days.dropna()
    baskets = bought.groupby("day")["amount"].sum()
    away = (as_of - days.iloc[-1]).days
    recent = lines[lines["timestamp"] >= as_of - pd.Timedelta(days=90)]
    repeats = lines[lines["timestamp"] >= days.iloc[1]] if len(days) > 1 else lines.head(0)
    firsts = bought.groupby("product_id")["day"].min()
    later = bought[bought["day"] > days.iloc[0]]
    seen = later.drop_duplicates(["day", "product_id"])
    weekdays = days.dt.day_of_week.value_counts(normalize=True)
    returns = lines.loc[lines["amount"] < 0]
    return {
        "frequency": len(days) - 1,
        "recency": (days.iloc[-1] - days.iloc[0]).days,
        "T": (as_of - days.iloc[0]).days,
        "monetary_value": repeats["amount"].sum() / max(len(days) - 1, 1),
        "days_since_last": away,
        "usual_gap_days": gaps.median(),
        "gap_sd": gaps.std(),
        "gap_max": gaps.max(),
        "away_to_max_gap": away / gaps.max(),
        "slow_gaps": (gaps.tail(3) > gaps.median()).sum() if len(gaps) else np.nan,
        "purchase_days_90": (days >= as_of - pd.Timedelta(days=90)).sum(),
        "spend_90": recent["amount"].sum(),
        "units_90": recent.loc[recent["amount"] >= 0, "quantity"].sum(),
        "basket_mean": baskets.mean(),
        "basket_sd": baskets.std(),
        "new_product_rate": (firsts > days.iloc[0]).sum() / len(seen) if len(seen) else np.nan,
        "return_share": -returns["amount"].sum() / baskets.sum(),
        "return_lines": len(returns),
        "weekend_share": (days.dt.day_of_week >= 5).mean(),
        "weekday_entropy": -(weekdays * np.log(weekdays)).sum() / np.log(7),
    }


def expected_panel(ledger):
    for customer, lines in ledger.groupby("customer_id"):
        for as_of in map(pd.Timestamp, CUTOFFS):
            seen = lines[lines["timestamp"] < as_of]
            if (seen["amount"] >= 0).any():
                yield {"customer_id": customer, "as_of": as_of, **expected_row(seen, as_of)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_panel_equals_plain_pandas(seed):
    ledger = random_ledger(seed)
    expected = pd.DataFrame(expected_panel(ledger)).astype({"as_of": "datetime64[s]"})
    panel = build_panel(customer_days(ledger), cutoffs=CUTOFFS)[expected.columns.tolist()]
    pd.testing.assert_frame_equal(panel, expected, check_dtype=False, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_labels_equal_plain_pandas(seed):
    ledger = random_ledger(seed)
    rule = {"horizon_days": 45, "lead_days": 5, "active_days": ACTIVE_DAYS}
    labels = churn_labels(
        day_table(customer_days(ledger)), cutoffs=CUTOFFS, data_end=date(2027, 3, 27), **rule
    )
    assert 0 < labels["churned"].mean() < 1
    bought = ledger[ledger["amount"] >= 0]
    day = bought["timestamp"].dt.normalize()
    for as_of, found in labels.groupby("as_of"):
        begin, end = as_of + pd.Timedelta(days=5), as_of + pd.Timedelta(days=50)
        active = bought.loc[(day >= as_of - pd.Timedelta(days=ACTIVE_DAYS)) & (day < as_of)]
        stayed = set(bought.loc[(day >= begin) & (day < end), "customer_id"])
        assert found["customer_id"].tolist() == sorted(set(active["customer_id"]))
        assert found["churned"].tolist() == [int(c not in stayed) for c in found["customer_id"]]
