"""A transaction log of any size: skewed customers who come and go over three years, in time order.

There are twenty lines to a customer. Customers join at any time, stay for an exponential time and
buy at rates of a gamma distribution of shape 0.6. One line in 40 is a return. Nearly every line is
the only one of its customer on that day, which is the hardest case: customer days are hardly fewer
than lines. Files are written month by month, so that memory does not grow with the log.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

FIRST_DAY, LAST_DAY = date(2022, 1, 1), date(2024, 12, 31)
LINES_PER_CUSTOMER = 20
N_PRODUCTS, N_CATEGORIES = 20_000, 40
MONTH = 30.4375
SECONDS = 86_400
ROWS_AT_ONCE = 1_000_000

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def write_log(folder: Path, n_lines: int, *, seed: int = 4) -> list[Path]:
    """Write `n_lines` lines into Parquet files, one a month or more, and return the files.

    Columns: customer_id, order_id and product_id (int64), timestamp, amount, category (text),
    quantity, discount, margin.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files = []
    for place, table in enumerate(_tables(n_lines, rng)):
        files.append(folder / f"part-{place:04d}.parquet")
        pq.write_table(table, files[-1], compression="zstd", row_group_size=ROWS_AT_ONCE // 8)
    return files


def _tables(n_lines: int, rng: np.random.Generator) -> Iterator[pa.Table]:
    """The log in order of time, at most a million lines at once."""
    days = (LAST_DAY - FIRST_DAY).days + 1
    n_customers = max(n_lines // LINES_PER_CUSTOMER, 1)
    joins = rng.uniform(-days / 2, days, n_customers)
    joins[: n_customers // 100 + 1] = 0.0
    leaves = joins + rng.exponential(days / 2, n_customers)
    rates = rng.gamma(0.6, size=n_customers) + 0.02
    level = rng.lognormal(3.2, 0.6, n_customers)
    starts = np.arange(0, days, MONTH)
    counts = np.diff(np.linspace(0, n_lines, starts.size + 1).astype(np.int64))
    for start, count in zip(starts, counts, strict=True):
        length = min(MONTH, days - start)
        here = (joins < start + length) & (leaves > start)
        shares = np.cumsum(np.where(here, rates, 0.0))
        for part in _parts(int(count), length):
            customer = np.searchsorted(shares, rng.random(part.size) * shares[-1])
            seconds = ((start + part) * SECONDS).astype(np.int64)
            yield _lines(customer.astype(np.int64), seconds, level, rng)


def _parts(count: int, length: float) -> Iterator[Floats]:
    """Times of `count` lines in a month, in days, evenly spread and in pieces of bounded size."""
    for begin in range(0, count, ROWS_AT_ONCE):
        yield length * np.arange(begin, min(begin + ROWS_AT_ONCE, count)) / count


def _lines(
    customer: Numbers, seconds: Numbers, level: Floats, rng: np.random.Generator
) -> pa.Table:
    """Lines at these times, of these customers."""
    n = customer.size
    epoch = (FIRST_DAY - date(1970, 1, 1)).days * SECONDS
    price = np.round(level[customer] * rng.gamma(4.0, 0.25, n), 2) + 0.01
    quantity = 1 + rng.poisson(0.5, n)
    discount = np.where(rng.random(n) < 0.2, np.round(0.1 * price, 2), 0.0)
    amount = np.round(price * quantity - discount, 2)
    sign = np.where(rng.random(n) < 0.025, -1, 1)
    product = np.minimum((N_PRODUCTS * rng.random(n) ** 3).astype(np.int64), N_PRODUCTS - 1)
    names = pa.array([f"category {number:02d}" for number in range(N_CATEGORIES)])
    category = pa.DictionaryArray.from_arrays((product % N_CATEGORIES).astype(np.int32), names)
    return pa.table(
        {
            "customer_id": 1_000_000 + customer,
            "timestamp": pa.array((epoch + seconds) * 1_000_000, pa.timestamp("us")),
            "amount": sign * amount,
            "order_id": customer * 8192 + 2 * (seconds // SECONDS) + (rng.random(n) < 0.1),
            "product_id": product,
            "category": category.cast(pa.string()),
            "quantity": quantity * sign,
            "discount": discount,
            "margin": np.round(0.3 * sign * amount, 2),
        }
    )
