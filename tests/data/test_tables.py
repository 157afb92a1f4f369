"""Every table besides transactions: what is kept, and what is not and why."""

from datetime import datetime

import numpy as np
import pytest

from patronage.errors import DataError
from patronage.features.customer_tables import customer_tables

ORDERS = "customer_id,timestamp,amount\na,2024-01-01,1\nb,2024-01-02,2\n007,2024-01-02,2\n"


@pytest.fixture
def read_table(read, tmp_path):
    """Write the text as the source of a table, beside good transactions, and read both."""

    def reader(table, text, **options):
        (tmp_path / f"{table}.csv").write_text(text)
        section = {"source": f"{table}.csv", **options}
        return read(ORDERS, tables={table: section})

    return reader


@pytest.fixture
def kept():
    """The kept rows of a table as tuples, in order."""

    def rows(ledger, name):
        table = ledger.table(name).collect("pyarrow")
        columns = [table[column].to_list() for column in table.columns]
        return sorted(zip(*columns, strict=True), key=repr)

    return rows


def test_a_table_that_is_not_configured_is_none(read):
    ledger = read(ORDERS)
    assert ledger.table("events") is None
    assert list(ledger.tables) == ["transactions"]
    with pytest.raises(KeyError, match="no table is named 'event'; known: transactions, customers"):
        ledger.table("event")


def test_events_of_a_computed_kind(read_table, kept):
    text = "id;t;type\n007;2024-01-01 10:00;A\na;2024-01-02;B\nb;2024-01-02;\n"
    columns = {"customer_id": "id", "timestamp": "t"}
    kind = "CASE WHEN type = 'A' THEN 'email_sent' WHEN type = 'B' THEN 'visit' END"
    ledger = read_table("events", text, kind=kind, columns=columns)
    assert kept(ledger, "events") == [
        ("007", datetime(2024, 1, 1, 10), "email_sent"),
        ("a", datetime(2024, 1, 2), "visit"),
    ]
    assert ledger.tables["events"].counts.reasons == {"kind is missing": 1}


def test_surveys_know_silence(read_table, kept):
    text = "customer_id,timestamp,question,score\na,2024-01-01,nps,9\na,2024-01-02,nps,\n"
    ledger = read_table("surveys", text + "b,2024-01-01,nps,inf\nb,2024-01-01,nps,good\n")
    assert [row[-1] for row in kept(ledger, "surveys")] == [9.0, None]
    assert ledger.tables["surveys"].counts.reasons == {
        "score is not a number": 1,
        "score is not finite": 1,
    }


def test_customers_pass_their_attributes_on(read_table, kept):
    text = "Id,age,zip,vip,size,order\n a,30,01234,yes,M,1\nb,,99999,no,S,x\n"
    ledger = read_table("customers", text, columns={"customer_id": "Id"})
    assert list(ledger.tables["customers"].columns) == [
        *("customer_id", "age", "zip", "vip", "size", "order")
    ]
    assert kept(ledger, "customers") == [
        ("a", 30.0, "01234", 1.0, "M", "1"),
        ("b", None, "99999", 0.0, "S", "x"),
    ]


def test_the_settings_decide_which_attributes_there_are_and_what_they_are(read_table, kept):
    text = "customer_id,age,code,left_out\na,30,1,x\nb,old,2,x\n"
    options = {"attributes": ["age", "code"], "numbers": ["age"], "texts": ["code"]}
    ledger = read_table("customers", text, **options)
    assert kept(ledger, "customers") == [("a", 30.0, "1")]
    assert ledger.tables["customers"].counts.reasons == {"age is not a number": 1}


def test_attributes_may_have_any_name(read_table, kept):
    names = [
        "a0",
        "c0",
        "fault",
        "rows",
        "value",
        "source_id",
        "shown_x",
        'say "x"',
        "select",
        "é x",
    ]
    header = ",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
    ledger = read_table("customers", f"{header},customer_id\n{'1,' * 9}x,a\n{'2,' * 9}y,b\n")
    assert ledger.table("customers").collect_schema().names() == ["customer_id", *names]
    assert kept(ledger, "customers")[1] == ("b", *[2.0] * 9, "y")


REFUSED_ATTRIBUTES = {
    "unknown": ({"attributes": ["Agee"]}, "no column 'Agee' for an attribute.*Did you mean 'age'"),
    "same name": ({}, "attribute 'age' has the name of 'Age'"),
    "contract's name": (
        {"columns": {"customer_id": "Age"}, "attributes": ["customer_id"]},
        "attribute 'customer_id' has the name of 'customer_id'",
    ),
}


@pytest.mark.parametrize(
    ("options", "message"), REFUSED_ATTRIBUTES.values(), ids=REFUSED_ATTRIBUTES.keys()
)
def test_attributes_that_cannot_be_told_apart_are_refused(read_table, options, message):
    with pytest.raises(DataError, match=message):
        read_table("customers", "customer_id,Age,age\na,1,2\n", **options)


def test_contradicting_rows_of_a_customer_are_all_quarantined_and_copies_dropped(
    read_table, kept, tmp_path
):
    text = "customer_id,valid_from,plan\n" + "a,2023-01-01,x\n" * 3 + "a,2023-06-01,y\n"
    ledger = read_table("customers", text + "b,2023-01-01,x\n,2023-01-01,y\nb,2023-01-01,y\n")
    assert kept(ledger, "customers") == [
        ("a", datetime(2023, 1, 1), "x"),
        ("a", datetime(2023, 6, 1), "y"),
    ]
    counts = ledger.tables["customers"].counts
    assert (counts.rows_read, counts.rows_kept, counts.rows_dropped) == (7, 2, 2)
    (target,) = ledger.write_quarantine(tmp_path / "out")
    assert target.read_text().splitlines()[1:] == [
        'customers.csv,5,"several different rows have the same customer_id and valid_from: b, '
        '2023-01-01 00:00:00",b,2023-01-01,x',
        "customers.csv,6,customer_id is missing,,2023-01-01,y",
        'customers.csv,7,"several different rows have the same customer_id and valid_from: b, '
        '2023-01-01 00:00:00",b,2023-01-01,y',
    ]


TERMS = {
    "open": (",x,3,yes", (None, "x", 3.0, 1.0)),
    "forever": ("9999-12-31,x,3,0", (None, "x", 3.0, 0.0)),
    "to come": ("2027-01-31,,,", (datetime(2027, 1, 31), None, None, None)),
    "German": (",x,3,Ja", (None, "x", 3.0, 1.0)),
    "French": (",x,3,non", (None, "x", 3.0, 0.0)),
    "Spanish": (",x,3,SÍ", (None, "x", 3.0, 1.0)),
    "end first": ("2023-12-31,x,3,no", "end is before start"),
    "no end": ("soon,x,3,no", "end cannot be read"),
    "refund": (",x,-3,no", "price is negative"),
    "perhaps": (",x,3,maybe", "auto_renew is neither true nor false"),
}


@pytest.mark.parametrize(("line", "expected"), TERMS.values(), ids=TERMS.keys())
def test_subscriptions(read_table, kept, line, expected):
    header = "customer_id,start,end,plan,price,auto_renew\n"
    ledger = read_table("subscriptions", f"{header}a,2024-01-01,{line}\n")
    if isinstance(expected, str):
        assert ledger.tables["subscriptions"].counts.reasons == {expected: 1}
    else:
        assert kept(ledger, "subscriptions") == [("a", datetime(2024, 1, 1), *expected)]


def test_words_that_are_no_flag_are_refused_with_those_that_are(read_table):
    ledger = read_table(
        "subscriptions", "customer_id,start,auto_renew\na,2024-01-01,vielleicht\nb,2024-01-01,ja\n"
    )
    said = "(?s)1 x auto_renew is neither true nor false.*'vielleicht'.*Read as true: .* ja, .*oui"
    with pytest.raises(DataError, match=said):
        ledger.refuse_if_bad()


def test_outcomes_have_one_of_two_arms_and_no_contradiction(read_table, kept):
    header = "customer_id,list_id,action,arm,outcome,cost\n"
    lines = "a,L,mail,treat,,1\na,L,mail,control,,1\n" + "b,L,mail,control,kept,1\n" * 2
    ledger = read_table("outcomes", header + lines + "c,L,mail,other,,1\n")
    assert kept(ledger, "outcomes") == [("b", "L", "mail", "control", "kept", 1.0)]
    counts = ledger.tables["outcomes"].counts
    assert counts.rows_dropped == 1
    assert counts.reasons == {
        "several different rows have the same customer_id and list_id and action": 2,
        "arm is none of treat, control": 1,
    }


def test_a_bad_table_stops_the_run_by_its_name(read_table, tmp_path):
    text = "customer_id,timestamp,kind\n,2024-01-01,visit\na,2024-01-01,visit\n"
    ledger = read_table("events", text)
    with pytest.raises(DataError, match=r"1 of 2 rows of events \(50.0%\) break the contract"):
        ledger.refuse_if_bad()
    lenient = read_table("events", text, max_bad_share=0.5)
    lenient.refuse_if_bad(0.0)


def test_an_empty_optional_table_is_no_error(read_table, kept):
    ledger = read_table("events", "customer_id,timestamp,kind\n")
    assert kept(ledger, "events") == []
    ledger.refuse_if_bad()


def test_the_digest_knows_every_table(read_table, read):
    header = "customer_id,timestamp,kind\n"
    first, second = (
        read_table("events", header + line).digest
        for line in ("a,2024-01-01,visit\n", "a,2024-01-01,call\n")
    )
    assert len({read(ORDERS).digest, first, second}) == 3


def test_tables_can_be_joined(read_table):
    ledger = read_table(
        "events", "customer_id,timestamp,kind\na,2024-01-01,visit\nz,2024-01-01,x\n"
    )
    joined = ledger.table("events").join(ledger.transactions, on="customer_id")
    assert joined.collect("pyarrow")["amount"].to_list() == [1.0]


def test_exact_repeats_are_dropped_on_request(read, rows):
    text = ORDERS + "a,2024-01-01,1\n" * 2 + "a,2024-01-01,1.0\n"
    counts = read(text, drop_duplicates=True).counts
    assert (counts.rows_in, counts.rows_kept, counts.rows_dropped) == (6, 4, 2)
    assert counts.n_duplicates == 0
    assert read(text).counts.rows_kept == 6


def test_the_features_collect_the_tables(read, tmp_path):
    """What the data layer gives is what the feature layer takes: texts, numbers, times."""
    sources = {
        "customers": "customer_id,valid_from,age,size\na,2023-01-01,30,M\na,2024-01-01,31,\n",
        "events": "customer_id,timestamp,kind,value\na,2024-01-01,visit,2\nz,2024-01-01,visit,\n",
        "surveys": "customer_id,timestamp,question,score\nb,2024-01-01,nps,\n",
        "subscriptions": "customer_id,start,end,auto_renew\nb,2024-01-01,9999-12-31,yes\n",
    }
    for name, text in sources.items():
        (tmp_path / f"{name}.csv").write_text(text)
    ledger = read(ORDERS, tables={name: {"source": f"{name}.csv"} for name in sources})
    tables = customer_tables(ledger.transactions, **{name: ledger.table(name) for name in sources})
    assert tables.customers.numbers["age"].tolist() == [30.0, 31.0]
    assert tables.customers.texts["size"].values == ("M",)
    assert (tables.events.n_rows_dropped, tables.events.numbers["value"].tolist()) == (1, [2.0])
    assert np.isnan(tables.surveys.numbers["score"]).all()
    assert np.isnan(tables.subscriptions.numbers["end"]).all()
    assert tables.subscriptions.numbers["auto_renew"].tolist() == [1.0]
