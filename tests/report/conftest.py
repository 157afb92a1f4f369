from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.config import Action
from patronage.retention import RetentionPolicy, at_risk_list

AS_OF = date(1998, 7, 1)
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "</td></table><img src=x onerror=alert(1)>",
    "+49 30 1234",
    "-12",
    "@SUM(A1)",
    "\t=1+1",
    "'=1+1",
    "{{ 7 * 7 }}",
    "http://example.org/",
    "客户 🎉 üñï",
    "007",
    'a "quoted", id;=1+1',
    "</script><script>alert(2)</script>",
    "line\nbreak",
    "x" * 5000,
)


def make_customers(ids, seed=3):
    rng = np.random.default_rng(seed)
    n = len(ids)
    p_churn, value = rng.beta(2, 2, n), rng.gamma(2, 60, n)
    return pd.DataFrame(
        {
            "customer_id": pd.array(ids, dtype="str"),
            "as_of": pd.Timestamp(AS_OF),
            "run_id": "run-1",
            "model_version": "3",
            "eligible": True,
            "p_churn": p_churn,
            "p_alive": 1 - p_churn / 2,
            "p_no_purchase": p_churn,
            "expected_purchases": rng.gamma(1, 1, n),
            "expected_spend": rng.gamma(1, 30, n),
            "clv": (1 - p_churn) * value,
            "value_if_kept": value,
            "value_at_risk": p_churn * value,
            "days_since_last": rng.integers(1, 200, n).astype(float),
            "usual_gap_days": np.where(rng.random(n) < 0.4, np.nan, rng.integers(1, 90, n)),
            "frequency": rng.integers(0, 9, n).astype(float),
        }
    )


def make_list(customers, policy):
    texts = ["usually buys every 21 days; now 58 days without"] * len(customers)
    reasons = pd.DataFrame({"customer_id": customers["customer_id"], "reason_1": texts})
    return at_risk_list(customers, reasons.assign(reason_2="", reason_3=""), policy, as_of=AS_OF)


@pytest.fixture(scope="session")
def policy():
    voucher = Action(
        name="voucher", contact_cost=0.5, offer_cost=10, accept_rate=0.25, redeem_rate=0.3
    )
    call = Action(name="call", contact_cost=4, offer_cost=0, accept_rate=0.3)
    return RetentionPolicy(actions=(voucher, call), budget=60, owner="Ada", watch_rows=10)


@pytest.fixture(scope="session")
def hostile_ids():
    return HOSTILE


@pytest.fixture(scope="session")
def customers():
    return make_customers([f"{n:05d}" for n in range(200)])


@pytest.fixture(scope="session")
def list_of(policy):
    return lambda customers: make_list(customers, policy)


@pytest.fixture(scope="session")
def at_risk(customers, policy):
    return make_list(customers, policy)


@pytest.fixture(scope="session")
def hostile_list(policy):
    return make_list(make_customers(list(HOSTILE)), policy)
