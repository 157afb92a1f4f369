"""Small ledgers, written by hand or drawn at random, and what one customer had done by a day."""

from datetime import date, datetime, time, timedelta
from math import nan

import numpy as np
import pandas as pd
import polars as pl
import pytest

from patronage.features import build_panel, customer_days, customer_tables, day_table

START = date(2026, 1, 1)
ORACLE_START = datetime(2026, 1, 1)
SPAN = 400
CUTOFFS = [date(2026, 3, 1), date(2026, 9, 1), date(2027, 2, 10)]
WHO = list("abcdefgh")
KINDS = [
    *("visit", "visit", "search", "cart_abandoned", "usage", "usage", "payment_failed"),
    *("complaint", "complaint", "complaint_resolved", "complaint_resolved", "other"),
    *("email_sent", "email_sent", "email_open", "email_click", "unsubscribe", "subscribe"),
]


@pytest.fixture(scope="session")
def ledger():
    """Make transactions of (customer, days after 1 January 2026, amount) triples."""

    def make(*lines):
        customers, days, amounts = zip(*lines, strict=True)
        noons = [datetime.combine(START + timedelta(days=day), time(12)) for day in days]
        return pd.DataFrame(
            {
                "customer_id": list(customers),
                "timestamp": pd.to_datetime(noons),
                "amount": [float(amount) for amount in amounts],
            }
        )

    return make


@pytest.fixture(scope="session")
def days_of(ledger):
    """Make a day table of the same triples."""
    return lambda *lines: day_table(customer_days(ledger(*lines)))


def moments(rng, n):
    return [ORACLE_START + timedelta(minutes=int(m)) for m in rng.integers(0, SPAN * 1440, n)]


def perhaps(rng, values, share=0.2):
    return [None if rng.random() < share else value for value in values]


def a_ledger(seed):
    rng = np.random.default_rng(seed)

    def who(n):
        return rng.choice(WHO, n).tolist()

    start = moments(rng, 40)
    length = rng.integers(1, 120, 40).tolist()
    end = [at + timedelta(days=days) for at, days in zip(start, length, strict=True)]
    return {
        "transactions": pl.DataFrame(
            {
                "customer_id": who(300),
                "timestamp": moments(rng, 300),
                "amount": np.where(rng.random(300) < 0.1, -5.0, rng.uniform(1, 50, 300)).round(2),
                "category": perhaps(rng, rng.choice(["c1", "c2", "c3", "c4"], 300).tolist()),
                "channel": perhaps(rng, rng.choice(["shop", "web", "web"], 300).tolist()),
                "discount": np.where(rng.random(300) < 0.3, 2.0, 0.0),
                "margin": rng.uniform(0, 9, 300).round(2),
            }
        ),
        "events": pl.DataFrame(
            {
                "customer_id": who(2000),
                "timestamp": moments(rng, 2000),
                "kind": rng.choice(KINDS, 2000).tolist(),
                "value": perhaps(rng, rng.uniform(0, 9, 2000).round(1).tolist()),
            }
        ),
        "surveys": pl.DataFrame(
            {
                "customer_id": who(120),
                "timestamp": moments(rng, 120),
                "question": rng.choice(["nps", "service"], 120).tolist(),
                "score": perhaps(rng, rng.integers(0, 11, 120).astype(float).tolist(), 0.4),
            }
        ),
        "subscriptions": pl.DataFrame(
            {
                "customer_id": who(40),
                "start": start,
                "end": perhaps(rng, end, 0.1),
                "plan": perhaps(rng, rng.choice(["basic", "gold"], 40).tolist()),
                "price": perhaps(rng, rng.choice([10.0, 12.0, 15.0], 40).tolist(), 0.1),
                "auto_renew": perhaps(rng, rng.integers(0, 2, 40).astype(float).tolist()),
            }
        ),
        "customers": pl.DataFrame(
            {
                "customer_id": who(25),
                "valid_from": moments(rng, 25),
                "region": perhaps(rng, rng.choice(["north", "south"], 25).tolist()),
                "points": perhaps(rng, rng.integers(0, 9, 25).astype(float).tolist()),
            }
        ),
    }


class Past:
    """What one customer had done before as_of."""

    def __init__(self, ledger, customer, as_of, end_known):
        self.as_of = datetime(as_of.year, as_of.month, as_of.day)
        self.end_known = end_known
        times = {"subscriptions": "start", "customers": "valid_from"}
        for name, table in ledger.items():
            time = times.get(name, "timestamp")
            rows = [r | {"at": r[time]} for r in table.to_dicts() if r["customer_id"] == customer]
            seen = sorted((r for r in rows if r["at"] < self.as_of), key=lambda r: r["at"])
            setattr(self, name, seen)
        self.bought = [r for r in self.transactions if r["amount"] >= 0]
        self.days = sorted({day(r) for r in self.bought})
        if self.days:
            self.transactions = [r for r in self.transactions if day(r) >= self.days[0]]

    def events_of(self, *kinds):
        return [r for r in self.events if r["kind"] in kinds]

    def within(self, rows, start, end=0):
        oldest = self.as_of - timedelta(days=start)
        newest = self.as_of - timedelta(days=end)
        return [r for r in rows if oldest <= r["at"] < newest]

    def since(self, rows):
        return (self.as_of.date() - day(rows[-1])).days if rows else nan

    def ends(self, row):
        """Whether the end is known."""
        return row["end"] is not None and (
            self.end_known == "at_start" or row["end"].date() < self.as_of.date()
        )


def day(row):
    return row["at"].date()


@pytest.fixture(scope="module", params=["at_end", "at_start"])
def computed(request):
    """A panel, and for each of its rows what the customer had done before as_of."""
    ledger = a_ledger(seed=3)
    optional = {name: table for name, table in ledger.items() if name != "transactions"}
    tables = customer_tables(ledger["transactions"], **optional, end_known=request.param)
    panel = build_panel(tables, cutoffs=CUTOFFS)
    keys = zip(panel["customer_id"], panel["as_of"].dt.date, strict=True)
    return panel, [Past(ledger, who, as_of, request.param) for who, as_of in keys]


@pytest.fixture(scope="session")
def ledger_of_all_tables():
    """Make a random ledger with rows in every table."""
    return a_ledger
