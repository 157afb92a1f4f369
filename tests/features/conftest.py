"""Small ledgers, written by hand."""

from datetime import date, datetime, time, timedelta

import pandas as pd
import pytest

from patronage.features import customer_days, day_table

START = date(2026, 1, 1)


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
