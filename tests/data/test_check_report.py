from patronage.data import check_report


def test_the_report_states_every_count(read):
    ledger = read(
        "customer_id,timestamp,amount\n"
        "a,2024-01-03,1\nb,2024-02-01,2\nc,2024-03-01,x\n,2024-03-01,1\nd,2024-03-01,-5\n",
        where="amount > -5 OR amount IS NULL",
    )
    assert check_report(ledger).splitlines() == [
        "transactions",
        "  files             orders.csv",
        "  rows read         5",
        "  left out by where 1",
        "  rows in           4",
        "  kept              2",
        "  quarantined       2 (50.00%)",
        "  customers         2",
        "  days              2024-01-03 to 2024-02-01",
        "  columns",
        "    timestamp       2024-01-03 to 2024-02-01",
        "    amount          1 to 2, median 1.5",
        "  reasons for quarantine",
        "    1 (25.00%) customer_id is missing, first in orders.csv row 4",
        "    1 (25.00%) where cannot be decided, first in orders.csv row 3, e.g. \"amount = 'x'\"",
        "not configured: customers, events, surveys, subscriptions, outcomes",
    ]


def test_copies_and_warnings_are_to_be_looked_at(read):
    ledger = read("customer_id,timestamp,amount\n" + "a,2024-01-01,1\n" * 3 + "b,2024-03-22,1\n")
    assert check_report(ledger).splitlines()[-4:-1] == [
        "  to be looked at",
        "    2 rows are exact copies of another row; they are counted as they stand. "
        "If your export doubles rows: [ledger] drop_duplicates = true",
        "    one row dated 2024-03-22 comes 81 days after the one before, 2024-01-01; "
        "if it is a typing error, everyone looks inactive",
    ]


def test_many_files_are_counted(read, tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.csv").write_text("customer_id,timestamp,amount\na,2024-01-01,1\n")
    assert "files             0.csv, 1.csv, 2.csv and 2 more" in check_report(read(source="*.csv"))


def test_line_ends_in_names_and_values_do_not_break_the_table(read, tmp_path):
    (tmp_path / "customers.csv").write_text(
        'customer_id,"a\nb"\n' + "".join(f'c{place},"x\ty\nz"\n' for place in range(9))
    )
    text = 'customer_id,timestamp,amount,channel\nc1,2024-01-01,1,"web\nshop"\n'
    report = check_report(read(text, tables={"customers": {"source": "customers.csv"}}))
    assert "    channel         one value: web\\nshop (100.0%)" in report.splitlines()
    assert r"    a\nb            one value: x\ty\nz (100.0%)" in report.splitlines()
