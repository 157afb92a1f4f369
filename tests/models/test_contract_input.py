import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from patronage.errors import DataError
from patronage.models.contract_input import count_renewals, read_contracts, survivor_table


def contracts(recency, T):
    return pd.DataFrame({"customer_id": range(10, 10 + len(T)), "recency": recency, "T": T})


def test_renewals_are_counted_by_number():
    table = read_contracts(contracts([1, 3, 1, 2, 1], [3, 3, 1, 4, 2]))
    found = count_renewals(table, np.array([1.0, 2, 4, 8, 16]))
    assert found.kept.tolist() == [10, 2, 0]
    assert found.lost.tolist() == [17, 8, 0]
    assert found.customers == 31
    assert table.active.tolist() == [0, 1, 1, 0, 0]


@pytest.mark.parametrize("frame", [pl.DataFrame, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_other_frames_are_read(frame):
    table = contracts([1, 3], [3, 3])
    found = read_contracts(frame(table))
    assert (found.customer_id.tolist(), found.recency.tolist()) == ([10, 11], [1, 3])


def test_survivors_become_a_table():
    table = survivor_table([100, 87, 80], [50, 40])
    assert table["cohort"].tolist() == [0, 0, 0, 1, 1]
    assert table["recency"].tolist() == [1, 2, 3, 1, 2]
    assert table["T"].tolist() == [3, 3, 3, 2, 2]
    assert table["weight"].tolist() == [13, 7, 80, 10, 40]


BAD = {
    "recency past T": (contracts([4, 1], [3, 3]), "recency exceeds T for 1 of 2 .* 10 .4."),
    "recency 0": (contracts([1, 0], [3, 3]), "recency is below 1 for 1 of 2 .* 11 .0."),
    "T 0": (contracts([1, 1], [3, 0]), "T is below 1 for 1 of 2 .* 11 .0."),
    "date for T": (contracts([1, 1], [3, 20260101]), "T exceeds 100,000 for 1 of 2 .*no date"),
    "half a period": (contracts([1, 1], [3, 2.5]), "T is not a whole number .*11 .2.5."),
    "NaN": (contracts([1, np.nan], [3, 3]), "recency is missing, NaN .* 1 of 2 .*11"),
    "text": (contracts(["1", "2"], [3, 3]), "recency has dtype .*first customer 10"),
    "no T": (contracts([1], [3]).drop(columns="T"), "T is missing .*customer_id, recency"),
    "twice": (contracts([1, 1], [3, 3]).assign(customer_id=7), "repeated in 1 of 2 .*7"),
    "empty": (contracts([], []), "no rows"),
}


@pytest.mark.parametrize(("table", "text"), BAD.values(), ids=BAD.keys())
def test_contracts_that_cannot_be_are_refused(table, text):
    with pytest.raises(DataError, match=text):
        read_contracts(table)


BAD_SURVIVORS = {
    "rising": ([100, 80, 85], "1 of 3 is more than before it, first after renewal 2 .85."),
    "negative": ([100, -1], "1 of 2 is negative or not finite, first after renewal 1 .-1."),
    "NaN": ([100, np.nan], "1 of 2 is negative or not finite"),
    "one number": ([100], "two numbers or more"),
}


@pytest.mark.parametrize(("counts", "text"), BAD_SURVIVORS.values(), ids=BAD_SURVIVORS.keys())
def test_survivors_that_cannot_be_are_refused(counts, text):
    with pytest.raises(DataError, match=f"Cohort 1.*{text}"):
        survivor_table([100, 87], counts)


def test_no_cohort_is_refused():
    with pytest.raises(DataError, match="0 cohorts were given"):
        survivor_table()
