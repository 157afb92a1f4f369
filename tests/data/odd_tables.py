"""Odd tables, and what must be the same when two engines read them."""

import csv
import random
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from patronage.features import build_panel, customer_days, day_table

CUTOFFS = [date(2024, 6, 1), date(2025, 3, 1)]
NUMBERS = [
    *("1", "+1", "1_000", "1e", "0x1F", "nan", "NaN", "Inf", "-inf", "infinity", "1.5e+3", "1d"),
    *("1.", ".5", ".", "1e400", "-1e400", "1e-400", "-", "1e5", "1,234.5", "1,5", "1.234,5"),
    *("12,34", "1'000", "007", "-0", "1e+", "１", "9007199254740993", "NULL", "0.1e-2", "1__0"),
    *("1 000", " 12 ", "1\u00a0000", "\u202f5", "", "  ", "1 00"),
]
TIMES = [
    *("2024-01-31", "2024-1-3", "2024/01/31", "24-01-31", "2024-01-31 10:00", "2024-01-31T10:00"),
    *("2024-01-31 10:00:00.1234567", "2024-02-30", "2024-02-29", "2023-02-29", "2024-01-31 1:02"),
    *("20240131", "20240231", "2024-01-31  10:00", "2024-01", "2024-01-31 10", "2024 01 31"),
    *("2024-01-31 10:00:5", "2024-01-31 10:00:60", "2024-01-31 10:00:00Z", "2024.01.31", "x", ""),
    *("2024-03-31 01:30:00+00", "2024-03-31 02:30:00", "2024-10-27 00:30:00Z", "2024-13-01"),
    *("2024-01-31 10:00:00+01", "2024-01-31 10:00:00-0130", "2024-01-31T10:00:00.5+01:30"),
    *("2024-01-31 10:00:00 UTC", "2024-01-31 10:00:00 +01:00", "1900-01-01", "2099-01-01"),
    *("2024-01-31 10:00:00.", " 2024-01-31 ", "31.01.2024", "12024-01-31", "2024-01-31 25:00"),
]


COLUMNS = {
    "customer_id": "id",
    "timestamp": "at",
    "amount": "net",
    "quantity": "units",
    "discount": "off",
    "order_id": "basket",
    "product_id": "sku",
    "category": "group",
}
TYPED = {
    "customer_id": "customer",
    "timestamp": "at",
    "amount": "net",
    "margin": "margin",
    "quantity": "units",
    "order_id": "basket",
    "channel": "web",
}


def assert_same(ledgers, folder):
    """Counts, reasons, quarantined rows, days, and every feature to 1e-9."""
    duckdb, other = ledgers
    assert other.counts == duckdb.counts
    assert [without_file(reason) for reason in other.reasons] == [
        without_file(reason) for reason in duckdb.reasons
    ]
    assert quarantined(other, folder / "there") == quarantined(duckdb, folder / "here")
    for fact in ("first_day", "last_day", "n_customers", "columns"):
        assert getattr(other, fact) == getattr(duckdb, fact), fact
    assert set(other.warnings) <= set(duckdb.warnings)
    here, there = (
        build_panel(day_table(ledger.collect(customer_days)), cutoffs=CUTOFFS) for ledger in ledgers
    )
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9)


def without_file(reason):
    return reason.text, reason.rows, reason.row, reason.example


def quarantined(ledger, folder):
    for path in ledger.write_quarantine(folder):
        with path.open(newline="", encoding="utf-8") as lines:
            return [{k: v for k, v in row.items() if k != "file"} for row in csv.DictReader(lines)]
    return []


def texts(n=600, seed=0):
    """Orders of thirty customers as texts, with whatever people write into them."""
    rng = random.Random(seed)

    def day():
        return f"{rng.choice((2024, 2025))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"

    def rarely(usual, odd):
        return rng.choice(odd) if rng.random() < 0.15 else usual

    return pa.table(
        {
            "id": [
                rarely(f"{rng.randint(1, 30):03}", ["", None, " 007 ", "7", "é"]) for _ in range(n)
            ],
            "at": [
                rarely(f"{day()} {rng.randint(0, 23):02}:15:00", [*TIMES, None]) for _ in range(n)
            ],
            "net": [rarely(f"{rng.uniform(-20, 90):.2f}", [*NUMBERS, None]) for _ in range(n)],
            "units": [rarely(str(rng.randint(-1, 5)), [*NUMBERS, None]) for _ in range(n)],
            "off": [rarely("0", ["1.5", "-2", "x", None]) for _ in range(n)],
            "basket": [rarely(str(rng.randint(1, 200)), ["", None]) for _ in range(n)],
            "sku": [rarely(f"p{rng.randint(1, 9)}", ["", None]) for _ in range(n)],
            "group": [rng.choice(["a", "b", "POST", ""]) for _ in range(n)],
        }
    )


def typed(n=400):
    rng = np.random.default_rng(3)
    times = 1_704_067_200 + rng.integers(0, 700 * 86_400, n)
    amounts = rng.normal(30, 40, n).round(2)
    amounts[:3] = [np.nan, np.inf, -np.inf]
    return pa.table(
        {
            "customer": pa.array(rng.integers(1, 40, n)),
            "at": pa.array(times).cast(pa.timestamp("s", tz="UTC")),
            "net": pa.array([None if i == 7 else v for i, v in enumerate(amounts)], pa.float64()),
            "margin": pa.array(rng.normal(5, 9, n).round(2)).cast(pa.decimal128(12, 2)),
            "units": pa.array([None if i % 11 == 0 else i % 5 for i in range(n)], pa.int32()),
            "basket": pa.array([None if i % 13 == 0 else float(i // 3) for i in range(n)]),
            "web": pa.array([i % 3 == 0 for i in range(n)]),
        }
    )
