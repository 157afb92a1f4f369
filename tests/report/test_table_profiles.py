from patronage.report.table_profiles import table_profiles

COLUMN = {
    "rows": 10,
    "nulls": 0,
    "distinct": None,
    "minimum": None,
    "maximum": None,
    "quantiles": {},
    "top": [],
}
EVENTS = {
    "table": "events",
    "rows": 10,
    "customers": 4,
    "first_day": "2024-01-01",
    "last_day": "2024-02-29",
    "unknown_customers": 1,
    "unknown_rows": 3,
    "covered": 0.25,
    "columns": [
        {
            **COLUMN,
            "name": "value",
            "kind": "number",
            "nulls": 5,
            "minimum": -1.5,
            "maximum": 1234.5,
            "quantiles": {"1": -1.5, "25": 0.0, "50": 2.0, "75": 3.0, "99": 1234.0},
        },
        {**COLUMN, "name": "kind", "kind": "text", "distinct": 7, "top": [["<b>", 8], ["x", 1]]},
        {
            **COLUMN,
            "name": "timestamp",
            "kind": "time",
            "minimum": "2024-01-01",
            "maximum": "2024-02-29",
        },
        {**COLUMN, "name": "empty", "kind": "number", "nulls": 10},
    ],
}


def test_a_table_is_told_in_a_sentence_and_a_row_for_each_column():
    (table,) = table_profiles({"tables": {"events": EVENTS}})
    assert table.title == "Events"
    assert table.sentence == (
        "10 rows of 4 customers, 2024-01-01 to 2024-02-29. 25.0% of the customers with a "
        "transaction are in it. 1 customer in it has none."
    )
    value, kind, timestamp, empty = table.rows
    assert (value.empty, value.numbers) == (
        "50.0%",
        ["-1.5", "-1.5", "0", "2", "3", "1,234", "1,234.5"],
    )
    assert (kind.distinct, kind.words) == ("7", "<b> (80.0%), x (10.0%)")
    assert timestamp.words == "2024-01-01 to 2024-02-29"
    assert (empty.empty, set(empty.numbers)) == ("100.0%", {""})


def test_a_run_without_profiles_shows_none():
    assert table_profiles({}) == []
