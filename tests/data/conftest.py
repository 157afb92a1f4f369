from datetime import UTC, datetime

import pytest

from patronage.config import Settings
from patronage.data import read_ledger

READ_AT = datetime(2026, 1, 1, tzinfo=UTC)


def make_settings(
    folder,
    *,
    timezone="UTC",
    max_bad_share=0.01,
    drop_duplicates=False,
    tables=None,
    **transactions,
):
    return Settings(
        ledger={
            "currency": "EUR",
            "timezone": timezone,
            "max_bad_share": max_bad_share,
            "drop_duplicates": drop_duplicates,
        },
        transactions={"source": "orders.csv", **transactions},
        **(tables or {}),
        features={"active_days": 90},
        churn={"horizon_days": 90},
        value={"horizon_days": 365, "margin": 0.2, "annual_discount_rate": 0.1},
        retention={
            "budget": 100,
            "actions": [{"name": "mail", "contact_cost": 1, "offer_cost": 5, "accept_rate": 0.2}],
        },
        folder=folder,
    )


@pytest.fixture
def settings_for(tmp_path):
    """Settings whose folder is the test's own."""
    return lambda **options: make_settings(tmp_path, **options)


@pytest.fixture(scope="session")
def settings_at():
    """Settings of any folder."""
    return make_settings


@pytest.fixture
def read(tmp_path):
    """Write the text as orders.csv, or leave the files that are there, and read them."""
    opened = []

    def reader(text=None, *, written_in="utf-8", **options):
        if text is not None:
            (tmp_path / "orders.csv").write_bytes(text.encode(written_in))
        settings = make_settings(tmp_path, **options)
        opened.append(read_ledger(settings, read_at=READ_AT, work_folder=tmp_path))
        return opened[-1]

    yield reader
    for ledger in opened:
        ledger.close()


@pytest.fixture
def rows():
    """The kept rows of a ledger as tuples, in order."""

    def kept(ledger, *names):
        table = ledger.transactions.select(*(names or ledger.columns)).collect("pyarrow")
        columns = [table[name].to_list() for name in table.columns]
        return sorted(zip(*columns, strict=True), key=repr)

    return kept
