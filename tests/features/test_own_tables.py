"""Features of one's own in the panel: by the grid, and by expressions on any engine."""

from datetime import date, datetime, timedelta

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from patronage.errors import DataError, SettingsError
from patronage.features import build_panel, customer_tables, feature, features_of, ratio
from patronage.features.catalogue import families_left_out
from patronage.features.own_tables import as_of_days, with_features, without_sources

CUTOFFS = [date(2026, 2, 1), date(2026, 3, 1)]
MONEY = {"meaning": "Money.", "unit": "money"}


def at(day, hour=12):
    return datetime(2026, 1, 1, hour) + timedelta(days=day)


LOG = pl.DataFrame(
    {
        "customer_id": list("aaabbc"),
        "timestamp": [at(0), at(30, 20), at(40), at(29), at(31, 0), at(58, 23)],
        "amount": [10.0, 60.0, 5.0, 7.0, 70.0, 1.0],
        "channel": ["web", "shop", "web", "shop", "shop", None],
    }
)


@feature(meaning="Share of big days.", unit="share", window=28, null="without a purchase")
def big_share(grid):
    big = (grid.table.measures["spend"] > 50).astype(float)
    return ratio(grid.total_of(big, 28), grid.total("purchase_days", 28))


@feature(table="transactions", window=28, **MONEY, empty=0)
def spent():
    return nw.col("amount").sum()


@feature(table="transactions", **MONEY, null="without an evening")
def evening():
    late = nw.col("timestamp").dt.hour() >= 18
    return nw.when(late).then(nw.col("amount")).mean()


@feature(table="transactions", meaning="Days.", unit="days", null="never")
def away(as_of):
    start = nw.lit(datetime(as_of.year, as_of.month, as_of.day))
    return (start - nw.col("timestamp").max()).dt.total_minutes() / 1440


@feature(table="transactions", window=20, meaning="Channel.", unit="text", null="none")
def last_channel():
    return nw.col("channel").max()


OWN = [big_share, spent, evening, away, last_channel]
NAMES = [own.name for own in OWN]


@pytest.fixture(scope="module")
def panel():
    return build_panel(customer_tables(LOG), cutoffs=CUTOFFS, features=OWN)


def test_each_row_sees_its_window_and_nothing_else(panel):
    # (a, 1 February), (a, 1 March), (b, 1 February), (b, 1 March), (c, 1 March)
    assert panel["customer_id"].tolist() == ["a", "a", "b", "b", "c"]
    assert panel["spent"].tolist() == [60.0, 5.0, 7.0, 70.0, 1.0]
    assert panel["evening"].tolist()[:2] == [60.0, 60.0]
    assert panel["evening"].isna().tolist() == [False, False, True, True, False]
    assert panel["away"].round(3).tolist() == [0.167, 18.5, 1.5, 28.0, 0.042]
    assert panel["last_channel"].tolist()[:4] == ["shop", "web", "shop", np.nan]
    assert panel["big_share"].tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_a_customer_without_rows_has_what_was_declared():
    old = build_panel(customer_tables(LOG), cutoffs=[date(2026, 6, 1)], features=OWN)
    assert old["spent"].tolist() == [0.0, 0.0, 0.0]
    assert old["big_share"].isna().all()
    assert old["last_channel"].isna().all()


def collect(plan):
    """As `Ledger.collect`: the plan goes to the rows."""
    planned = plan(nw.from_native(LOG).lazy("duckdb"))
    return None if planned is None else planned.collect("pyarrow").to_native()


ENGINES = {
    "pandas": lambda: LOG.to_pandas(),
    "Arrow": lambda: LOG.to_arrow(),
    "lazy Polars": lambda: LOG.lazy(),
    "DuckDB": lambda: duckdb.from_arrow(LOG.to_arrow()),
    "where it is": lambda: collect,
}


@pytest.mark.parametrize("table", ENGINES.values(), ids=ENGINES.keys())
def test_engines_agree(table, panel):
    found = build_panel(customer_tables(table()), cutoffs=CUTOFFS, features=OWN)
    plain = {"customer_id": object, "last_channel": object}
    assert_frame_equal(found.astype(plain), panel.astype(plain), rtol=1e-12)


def test_chunks_change_nothing(panel):
    whole = customer_tables(LOG)
    found = build_panel(whole, cutoffs=CUTOFFS, features=OWN, chunk_customers=1)
    assert_frame_equal(found, panel, check_exact=True)


def test_a_sample_of_customers_keeps_its_values(panel):
    tables = as_of_days(with_features(customer_tables(LOG), OWN), CUTOFFS)
    some = without_sources(tables).sample(2, seed=1)
    found = build_panel(some, cutoffs=CUTOFFS)
    rest = panel[panel["customer_id"].isin(some.days.customer_ids)].reset_index(drop=True)
    assert_frame_equal(found[NAMES], rest[NAMES])


def test_own_features_come_last_and_travel_with_the_tables():
    tables = with_features(customer_tables(LOG), OWN)
    assert [one.name for one in features_of(tables)][-5:] == NAMES
    assert features_of(tables)[-1].family == "own"


def test_a_day_that_was_not_computed_is_named_when_the_rows_are_gone():
    tables = without_sources(as_of_days(with_features(customer_tables(LOG), OWN), CUTOFFS))
    with pytest.raises(DataError, match=r"spent of test_own_tables.py was not .* as of 2026-04-01"):
        build_panel(tables, cutoffs=[CUTOFFS[0], date(2026, 4, 1)])


def test_what_needs_a_missing_table_is_left_out_and_says_why():
    visits = feature(table="events", window=9, meaning="V.", unit="count", empty=0, name="visits")
    plans = feature(needs="subscriptions", meaning="P.", unit="count", name="plans")
    own = [visits(lambda: nw.len()), plans(lambda grid: grid.over("subscriptions").count()), spent]
    tables = with_features(customer_tables(LOG), own)
    left_out = families_left_out(tables)
    assert left_out["visits"] == "there is no table [events]"
    assert left_out["plans"] == "there is no table [subscriptions]"
    assert [one.name for one in tables.own] == ["spent"]


def test_the_end_of_a_term_is_seen_once_it_has_passed():
    terms = pl.DataFrame(
        {"customer_id": ["a", "a"], "start": [at(0), at(1)], "end": [at(20), at(50)]}
    )
    own = feature(table="subscriptions", meaning="Ended.", unit="count", empty=0, name="ended")(
        lambda: nw.col("end").count()
    )
    tables = customer_tables(LOG, subscriptions=terms)
    panel = build_panel(tables, cutoffs=CUTOFFS, features=[own])
    assert panel["ended"].tolist() == [1, 2, 0, 0, 0]


def own_of(function, **more):
    return feature(**({"meaning": "X.", "unit": "money", "name": "bad"} | more))(function)


def fails(grid):
    return grid.totals("spend")


BAD = {
    "too short": (lambda grid: grid.total("spend")[:2], {}, r"of shape \(2,\), and the grid has 5"),
    "one for each day": (lambda grid: grid.table.measures["spend"], {}, r"shape \(6,\)"),
    "texts": (lambda grid: grid.customer.astype(str), {}, "of the kind <U21, .* asks for numbers"),
    "no texts": (lambda grid: grid.total("spend"), {"unit": "text"}, "gives ndarray, .* Texts"),
    "infinite": (
        lambda grid: grid.total("spend") / grid.total("returned"),
        {},
        "infinite in 5 of 5 rows, first for customer a. Divide with ratio",
    ),
    "fails": (fails, {}, r"bad of test_own_tables.py failed in line \d+: AttributeError: .*totals"),
    "no table": (
        lambda grid: grid.over("events").count(),
        {},
        "the customer tables hold no events",
    ),
}


@pytest.mark.parametrize(("function", "more", "text"), BAD.values(), ids=BAD.keys())
def test_what_a_function_gives_is_checked(function, more, text):
    with pytest.raises(DataError, match=text):
        build_panel(customer_tables(LOG), cutoffs=CUTOFFS, features=[own_of(function, **more)])


BAD_EXPRESSIONS = {
    "a column": (lambda: nw.col("amount"), {}, "must make one value of a customer's rows"),
    "no column": (
        lambda: nw.col("price").sum(),
        {},
        r"cannot be computed over .*price.*have amount",
    ),
    "no expression": (lambda: 3, {}, "gives int; over a table it must give a Narwhals expression"),
    "a time": (lambda: nw.col("timestamp").max(), {}, r"gives Datetime.* asks for a number"),
    "a number": (lambda: nw.len(), {"unit": "text"}, "asks for a text"),
    "fails": (lambda: nw.col("amount").summ(), {}, "failed: AttributeError"),
}


@pytest.mark.parametrize(
    ("function", "more", "text"), BAD_EXPRESSIONS.values(), ids=BAD_EXPRESSIONS.keys()
)
@pytest.mark.parametrize("engine", ["pandas", "lazy Polars"])
def test_what_an_expression_is_is_checked(engine, function, more, text):
    own = own_of(function, table="transactions", null="no row", **more)
    with pytest.raises(DataError, match=text):
        build_panel(customer_tables(ENGINES[engine]()), cutoffs=CUTOFFS, features=[own])


def test_a_filter_that_an_engine_does_not_know_is_put_right():
    def filtered():
        return nw.col("amount").filter(nw.col("amount") > 5).sum()

    own = own_of(filtered, table="transactions", empty=0)
    with pytest.raises(DataError, match=r"write nw.when\(condition\).then"):
        build_panel(customer_tables(LOG.to_pandas()), cutoffs=CUTOFFS, features=[own])


TAKEN = {
    "built in": ("days_since_last", "a built-in one of that name, in the family"),
    "value model": ("p_no_purchase", "in the family value_model"),
    "a key": ("as_of", "kept for columns of the panel"),
    "an attribute": ("attribute_region", "kept for columns of the panel"),
}


@pytest.mark.parametrize(("name", "text"), TAKEN.values(), ids=TAKEN.keys())
def test_a_name_that_is_taken_is_refused(name, text):
    own = own_of(lambda grid: grid.age, name=name)
    with pytest.raises(SettingsError, match=text):
        build_panel(customer_tables(LOG), cutoffs=CUTOFFS, features=[own])


def test_two_of_one_name_are_refused():
    with pytest.raises(
        SettingsError, match=r"bad of .*another of that name, of test_own_tables.py"
    ):
        with_features(customer_tables(LOG), [own_of(lambda grid: 1), own_of(lambda grid: 2)])


def test_a_plain_function_is_refused():
    with pytest.raises(SettingsError, match="is no feature. Decorate the function"):
        with_features(customer_tables(LOG), [fails])


def test_customer_days_alone_serve_functions_of_the_grid():
    days = customer_tables(LOG).days
    found = build_panel(days, cutoffs=CUTOFFS, features=[big_share])
    assert_series_equal(
        found["big_share"],
        build_panel(customer_tables(LOG), cutoffs=CUTOFFS, features=[big_share])["big_share"],
    )
    with pytest.raises(DataError, match="there are only customer days"):
        build_panel(days, cutoffs=CUTOFFS, features=[spent])


@feature(table="transactions", unit="ratio", null="where returns cancel all", meaning="X.")
def largest_of_net():
    return nw.col("amount").max() / nw.col("amount").sum()


def test_a_division_by_nothing_is_null():
    cancelled = LOG.with_columns(
        pl.Series("amount", [10.0, -10.0] * (len(LOG) // 2)), customer_id=pl.lit("a")
    )
    found = build_panel(customer_tables(cancelled), cutoffs=CUTOFFS, features=[largest_of_net])
    assert found["largest_of_net"].isna().any()
    assert not np.isinf(found["largest_of_net"]).any()
