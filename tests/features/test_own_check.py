"""The check finds what looks ahead, what depends on others, and what breaks its word."""

import re
from datetime import date

import narwhals as nw
import numpy as np
import pytest

from patronage.features import feature, ratio
from patronage.features.own_check import check_own_features

CUTOFFS = [date(2026, 4, 1), date(2026, 8, 1)]
SAID = {"meaning": "X.", "unit": "number"}


@pytest.fixture(scope="module")
def sources(ledger):
    rng = np.random.default_rng(1)
    lines = [
        (f"c{rng.integers(30)}", int(rng.integers(300)), rng.integers(1, 90)) for _ in range(400)
    ]
    return {"transactions": ledger(*lines)}


def faults(sources, function, **said):
    own = feature(**{**SAID, "name": "mine", **said})(function)
    return check_own_features(sources, [own], cutoffs=CUTOFFS)


def of_all_time(grid):
    spend, first = grid.table.measures["spend"], grid.table.offsets[:-1]
    return np.add.reduceat(spend, first)[grid.customer]


FINE = {
    "a window": (lambda grid: ratio(grid.total("spend", 90), grid.purchases), {}),
    "an expression": (lambda: nw.col("amount").max(), {"table": "transactions", "empty": 0}),
    "said to be null": (lambda grid: grid.days_to_second, {"null": "with one purchase"}),
}


@pytest.mark.parametrize(("function", "said"), FINE.values(), ids=FINE.keys())
def test_what_keeps_to_the_past_passes(sources, function, said):
    assert faults(sources, function, **said) == []


FAULTY = {
    "looks ahead": (of_all_time, {}, r"mine of test_own_check.py looks ahead: \d+ of \d+ values"),
    "next weeks": (
        lambda grid: grid.total_before("spend", grid.as_of + np.int32(30)),
        {},
        "looks ahead: .* from the data of before that day",
    ),
    "the end of the data": (lambda grid: grid.table.last_day - grid.last, {}, "looks ahead"),
    "who else is there": (
        lambda grid: grid.purchases - grid.purchases.mean(),
        {},
        "depends on who else is computed: .* a third of the customers",
    ),
    "null unsaid": (lambda grid: grid.days_to_second, {}, "is null in .* does not say when"),
    "no share": (lambda grid: grid.purchases, {"unit": "share"}, "is a share .* out of 0 to 1"),
    "no flag": (lambda grid: grid.purchases, {"unit": "flag"}, "other values than 0 and 1"),
    "no count": (lambda grid: -grid.purchases, {"unit": "count"}, "is a count .* such as -"),
}


@pytest.mark.parametrize(("function", "said", "text"), FAULTY.values(), ids=FAULTY.keys())
def test_what_does_not_is_named(sources, function, said, text):
    found = "\n".join(faults(sources, function, **said))
    assert re.search(text, found), found


def test_a_feature_that_no_table_allows_is_passed_over(sources):
    assert faults(sources, lambda grid: 1 / 0, needs="events") == []
