import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from patronage.errors import DataError
from patronage.models import BetaGeoModel, GammaGammaModel
from patronage.models.rfm_input import read_rfm

GOOD = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "cat", "dan"],
        "frequency": [0, 1, 2, 5],
        "recency": [0.0, 3.0, 20.0, 28.0],
        "T": [30.0, 30.0, 30.0, 30.0],
        "monetary_value": [0.0, 10.0, 20.0, 30.0],
    }
)


def with_values(column, *values):
    """The good table with the column's last values replaced."""
    kept = GOOD[column].tolist()[: len(GOOD) - len(values)]
    return GOOD.assign(**{column: [*kept, *values]})


REFUSED = {
    "NaN frequency": (
        with_values("frequency", np.nan, 5.0),
        "frequency is missing, NaN or infinite for 1 of 4 customers, first customer 'cat'",
    ),
    "NaN T": (with_values("T", np.nan), "T is missing, NaN or infinite for 1 of 4.*'dan'"),
    "infinite recency": (with_values("recency", np.inf), "recency is missing, NaN or infinite"),
    "negative frequency": (
        with_values("frequency", -1),
        r"frequency is negative for 1 of 4 customers, first customer 'dan' \(-1\)",
    ),
    "fractional frequency": (
        with_values("frequency", 1.5, 2.5),
        r"frequency is not a whole number for 2 of 4 customers, first customer 'cat' \(1.5\)",
    ),
    "negative recency": (with_values("recency", -2.0), r"recency is negative for 1 .*\(-2\)"),
    "recency beyond T": (
        with_values("recency", 31.0),
        r"recency exceeds T for 1 of 4 customers, first customer 'dan' \(31\).*in one unit",
    ),
    "one-time buyer with recency": (
        GOOD.assign(recency=[4.0, 3.0, 20.0, 28.0]),
        r"recency is positive with frequency 0 for 1 of 4 customers, first customer 'ann' \(4\)",
    ),
    "repeat purchases at once": (
        GOOD.assign(recency=[0.0, 0.0, 20.0, 28.0]),
        r"recency is 0 with a positive frequency for 1 of 4 customers, first customer 'bob' \(1\)"
        ".*in a finer unit",
    ),
    "T beyond all units": (with_values("T", 1e200), r"T exceeds 1e\+30 for 1 of 4.*'dan'"),
    "column twice": (
        pd.concat([GOOD, GOOD[["T"]]], axis=1),
        "holds 'T' more than once. Drop or rename",
    ),
    "customer as index and column": (
        GOOD.set_index("customer_id", drop=False),
        "holds 'customer_id' more than once",
    ),
    "columns of two levels": (
        pd.concat({"a": GOOD}, axis=1),
        r"columns have 2 levels, first \('a', 'customer_id'\).*droplevel\(0\)",
    ),
    "zero T": (
        GOOD.assign(T=[0.0, 30.0, 30.0, 30.0]),
        r"T is not positive for 1 of 4 customers, first customer 'ann' \(0\)",
    ),
    "repeated customer": (
        GOOD.assign(customer_id=["ann", "bob", "bob", "bob"]),
        "customer_id is repeated in 2 of 4 rows, first customer 'bob'",
    ),
    "missing customer": (
        GOOD.assign(customer_id=["ann", None, "cat", "dan"]),
        "customer_id is missing in 1 of 4 rows, first in row 1",
    ),
    "object dtype": (
        GOOD.assign(T=np.array([30, 30, 30, "x"], dtype=object)),
        r"T has dtype Object, which holds no numbers, for 4 customers.*astype\(float\)",
    ),
    "text": (GOOD.assign(recency=["0", "3", "20", "28"]), "recency has dtype String"),
    "truth values": (GOOD.assign(frequency=[False, True, True, True]), "frequency has dtype Bool"),
    "no rows": (GOOD.head(0), "The customer table has no rows"),
    "no T": (GOOD.drop(columns="T"), "T is missing from the customer table; it has customer_id"),
    "no customers": (GOOD.drop(columns="customer_id"), "customer_id is missing from the customer"),
    "no table": ([1, 2], "The customer table is a list; pass a pandas, Polars or Arrow table"),
    "lazy": (pl.DataFrame({"T": [1.0]}).lazy(), r"is a LazyFrame.*collect a lazy frame first"),
}


@pytest.mark.parametrize(("table", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused(table, text):
    with pytest.raises(DataError, match=text):
        BetaGeoModel().fit(table)


def test_prediction_refuses_the_same():
    model = BetaGeoModel().fit(GOOD)
    with pytest.raises(DataError, match="frequency is negative for 1 of 4 customers"):
        model.probability_alive(with_values("frequency", -1))


def test_spend_is_checked():
    with pytest.raises(DataError, match="monetary_value is missing, NaN or infinite for 1 of 4"):
        GammaGammaModel().fit(with_values("monetary_value", np.nan))


FRAMES = {
    "index": GOOD.set_index("customer_id"),
    "nullable": GOOD.convert_dtypes(),
    "arrow dtypes": GOOD.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.DataFrame(GOOD.to_dict("list")),
    "arrow": pa.table(GOOD.to_dict("list")),
}


@pytest.mark.parametrize("table", FRAMES.values(), ids=FRAMES.keys())
def test_every_frame_reads_the_same(table):
    ours, plain = read_rfm(table), read_rfm(GOOD)
    assert ours.customer_id.tolist() == GOOD["customer_id"].tolist()
    assert ours.customer_id.name == "customer_id"
    for name in ("frequency", "recency", "T"):
        assert getattr(ours, name).tolist() == getattr(plain, name).tolist()


def test_a_null_of_another_frame_is_a_missing_value():
    table = pl.DataFrame(GOOD.to_dict("list")).with_columns(T=pl.Series([30.0, None, 30.0, 30.0]))
    with pytest.raises(DataError, match="T is missing, NaN or infinite for 1 of 4.*'bob'"):
        read_rfm(table)


WEIGHTS = {
    "negative": ([1, 1, 1, -1], r"weights is negative or not finite for 1 of 4.*'dan' \(-1\)"),
    "NaN": ([np.nan, 1, 1, 1], "weights is negative or not finite for 1 of 4.*'ann'"),
    "too few": ([1, 1, 1], r"weights has shape \(3,\); the table has 4 rows"),
    "all zero": ([0, 0, 0, 0], "weights is 0 for every row"),
    "text": (["a"] * 4, "weights is a list that holds no numbers. Give one number for each row"),
    "a column's name": ("frequency", "weights is a str that holds no numbers"),
    "dict": ({"ann": 1}, "weights is a dict that holds no numbers"),
    "complex": (np.ones(4) * 1j, "weights is a ndarray that holds no numbers"),
    "missing": (
        pd.Series([1, 1, 1, pd.NA], dtype="Int64"),
        r"weights is negative or not finite for 1 of 4.*'dan' \(nan\)",
    ),
    "another order": (
        pd.Series([1, 1, 1, 1], index=["bob", "ann", "cat", "dan"]),
        "weights is a Series whose index is not the table's customers",
    ),
}


@pytest.mark.parametrize(("weights", "text"), WEIGHTS.values(), ids=WEIGHTS.keys())
def test_bad_weights_are_refused(weights, text):
    with pytest.raises(DataError, match=text):
        BetaGeoModel().fit(GOOD, weights=weights)


def test_every_other_customer_of_a_table_is_a_table(cdnow_exact):
    """A view of a view: pandas hands out strided columns."""
    read = read_rfm(cdnow_exact[["T", "recency", "frequency"]].iloc[::2])
    np.testing.assert_array_equal(read.T, cdnow_exact["T"].to_numpy()[::2])
