from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import customer_days, day_table


def frame_of_days(**changes):
    columns = {
        "customer_id": ["a", "a"],
        "day": [date(2026, 1, 1), date(2026, 1, 3)],
        "spend": [1.0, 2.0],
        "returned": [0.0, 0.0],
        "purchases": [1, 1],
        "return_lines": [0, 0],
        "orders": [1, 1],
    }
    return pd.DataFrame({**columns, **changes})


def test_days_before_the_first_purchase_are_left_out_and_counted(days_of):
    table = days_of(
        ("a", 0, -5), ("a", 2, 9), ("a", 3, -1), ("b", 5, -2), ("b", 6, -2), ("c", 1, 4)
    )
    assert table.customer_ids.tolist() == ["a", "c"]
    assert table.offsets.tolist() == [0, 2, 3]
    assert table.measures["spend"].tolist() == [9, -1, 4]
    assert (table.n_customers_dropped, table.n_days_dropped) == (1, 3)


def test_history_begins_on_the_first_day_of_the_data_whoever_it_belongs_to(days_of):
    table = days_of(("b", 0, -5), ("a", 2, 9), ("b", 7, -1))
    first = (date(2026, 1, 1) - date(1970, 1, 1)).days
    assert (table.first_day, table.last_day) == (first, first + 7)


def test_a_table_is_collected_once():
    table = day_table(frame_of_days())
    assert day_table(table) is table


def test_chunks_are_views_of_at_most_so_many_customers(days_of):
    table = days_of(*((name, n, n + 1) for n, name in enumerate("abcde")))
    chunks = list(table.chunks(2))
    assert [chunk.customer_ids.tolist() for chunk in chunks] == [["a", "b"], ["c", "d"], ["e"]]
    assert all(np.shares_memory(chunk.day, table.day) for chunk in chunks)


def test_numbers_and_text_stay_what_they_are_as_ids(days_of):
    assert days_of((7, 0, 1), (12, 0, 1)).customer_ids.dtype == np.int64
    assert days_of(("7", 0, 1), ("012", 0, 1)).customer_ids.tolist() == ["012", "7"]


def test_any_frame_of_days_will_do(ledger):
    collected = customer_days(ledger(("a", 0, 1), ("b", 4, 2))).collect("pandas").to_native()
    assert day_table(collected).customer_ids.tolist() == ["a", "b"]


def test_rounding_leaves_no_value_bought_where_nothing_was():
    # 0.1 + 0.2 exceeds 0.3 by 6e-17 and more: the engine adds up in an order of its own.
    days = frame_of_days(spend=[5.0, -0.3], returned=[0.0, 0.1 + 0.2])
    assert day_table(days).measures["gross"].tolist() == [5, 0]


WRONG = {
    "a missing column": (
        frame_of_days().drop(columns=["orders", "spend"]),
        r"no column orders, spend; they have .* customer_days\(transactions\)",
    ),
    "a missing id": (
        frame_of_days(customer_id=["a", None]),
        "customer_id is missing in 1 of 2 customer days",
    ),
    "a missing day": (
        frame_of_days(day=[date(2026, 1, 1), None]),
        "day is missing in 1 of 2 customer days.*timestamp IS NOT NULL",
    ),
    "a day that comes twice": (
        frame_of_days(day=[date(2026, 1, 3)] * 2),
        "1 rows too many: customer a has two for 2026-01-03",
    ),
    "an infinite sum": (
        frame_of_days(spend=[1.0, np.inf]),
        "spend is not finite on 1 of 2 customer days, first for customer a on 2026-01-03",
    ),
    "returns only": (frame_of_days(purchases=[0, 0]), "2 customer days hold no purchase"),
    "no row": (frame_of_days().head(0), "0 customer days hold no purchase"),
}


@pytest.mark.parametrize(("days", "message"), WRONG.values(), ids=WRONG.keys())
def test_days_that_cannot_be_used_are_refused_by_name(days, message):
    with pytest.raises(DataError, match=message):
        day_table(days)
