from patronage.report.counts import data_rows

MANIFEST = {
    "data": {"first_day": "1997-01-01", "last_day": "1998-06-30", "digest": "abc"},
    "counts": {
        "transactions": {
            "rows_read": 6930,
            "rows_filtered": 11,
            "rows_quarantined": 8,
            "reasons": {"customer_id is missing": 5, "amount is missing": 3},
            "odd_ones": 1,
        },
        "scored": {"customers": 2357, "eligible": 900},
        "listed": {"selected": 12},
    },
}


def test_counts_have_plain_labels():
    assert data_rows(MANIFEST) == [
        ("days covered", "1997-01-01 to 1998-06-30"),
        ("transactions: rows read", "6,930"),
        ("transactions: rows left out by your filter", "11"),
        ("transactions: rows in quarantine", "8"),
        ("transactions: rows in quarantine: customer_id is missing", "5"),
        ("transactions: rows in quarantine: amount is missing", "3"),
        ("transactions: odd ones", "1"),
        ("customers scored", "2,357"),
        ("customers who are listed", "900"),
    ]


def test_a_run_that_counted_nothing_has_no_rows():
    assert data_rows({}) == []
