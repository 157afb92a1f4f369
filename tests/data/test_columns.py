import pytest

from patronage.errors import DataError, SettingsError

HEADER = "Customer ID,InvoiceDate,Price,Quantity\n"
ROW = "a,2024-01-01,2,3\n"


def test_a_missing_column_names_those_found_and_the_setting(read):
    message = (
        "has no column 'timestamp' for timestamp. .*'Customer ID', 'InvoiceDate', 'Price', "
        r"'Quantity'\. Then name it: \[transactions.columns\] timestamp = "
    )
    with pytest.raises(DataError, match=message):
        read(HEADER + ROW, columns={"customer_id": "Customer ID", "amount": "Price"})


def test_a_misspelt_column_names_the_nearest(read):
    with pytest.raises(DataError, match="Did you mean 'Customer ID'"):
        read(HEADER + ROW, columns={"customer_id": "customer_id", "timestamp": "InvoiceDate"})


def test_a_missing_amount_may_be_computed(read):
    columns = {"customer_id": "Customer ID", "timestamp": "InvoiceDate"}
    with pytest.raises(DataError, match=r"or compute it: \[transactions\] amount = "):
        read(HEADER + ROW, columns=columns)
    ledger = read(HEADER + ROW, columns=columns, amount="Quantity * Price")
    assert ledger.transactions.collect("pyarrow")["amount"].to_list() == [6.0]


def test_a_named_optional_column_must_be_there(read):
    with pytest.raises(DataError, match="no column 'Chanel' for channel"):
        read("customer_id,timestamp,amount\n", columns={"channel": "Chanel"})


def test_one_column_points_at_the_delimiter(read):
    with pytest.raises(DataError, match="delimiter = "):
        read("customer_id^timestamp^amount\na^2024-01-01^1\n")


def test_optional_columns_of_the_contracts_own_name_are_used(read, rows):
    ledger = read(
        "customer_id,timestamp,amount,quantity,discount,channel,other\n"
        "a,2024-01-01,1,2,-1,web,x\nb,2024-01-01,1,many,inf,,x\n"
    )
    assert ledger.columns == (
        *("customer_id", "timestamp", "amount"),
        *("quantity", "discount", "channel"),
    )
    assert rows(ledger, "quantity", "discount", "channel") == [
        (2.0, None, "web"),
        (None, None, None),
    ]


def test_named_optional_numbers_must_be_numbers(read):
    ledger = read(
        "customer_id,timestamp,amount,quantity,discount\n"
        "a,2024-01-01,1,2,1\na,2024-01-01,-1,,-1\n"
        "b,2024-01-01,1,many,\nc,2024-01-01,1,inf,\nd,2024-01-01,1,1,-1\n",
        columns={"quantity": "quantity", "discount": "discount"},
    )
    assert ledger.counts.rows_kept == 2
    assert ledger.counts.reasons == {
        "discount of a sale is negative": 1,
        "quantity is not a number": 1,
        "quantity is not finite": 1,
    }


def test_amounts_that_cannot_be_computed_show_what_they_are_made_of(read):
    ledger = read(
        "customer_id,timestamp,q,p\na,2024-01-01,1,2\na,2024-01-01,x,2\na,2024-01-01,1,\n"
        "a,2024-01-01,inf,2\n",
        amount="q * p",
    )
    assert [(reason.text, reason.rows, reason.example) for reason in ledger.reasons] == [
        ("amount cannot be computed", 2, "q = 'x', p = '2'"),
        ("amount is not finite", 1, "q = 'inf', p = '2'"),
    ]


def test_a_condition_on_a_text_that_is_no_number_leaves_out_nothing_in_silence(read):
    ledger = read(
        "customer_id,timestamp,amount,p\n"
        "a,2024-01-01,1,2\na,2024-01-01,1,-2\na,2024-01-01,1,\na,2024-01-01,1,n/a\n",
        where="p > 0",
    )
    assert (ledger.counts.rows_filtered, ledger.counts.rows_kept) == (2, 1)
    assert ledger.counts.reasons == {"where cannot be decided": 1}
    assert ledger.reasons[0].example == "p = 'n/a'"


def test_an_unusable_date_format_is_named(read):
    with pytest.raises(SettingsError, match="date_format cannot be used: .*%Q"):
        read("customer_id,timestamp,amount\na,2024-01-01,1\n", date_format="%d.%Q")


def test_an_unusable_pattern_is_named(read):
    with pytest.raises(SettingsError, match=r"where = .* cannot be used: .*missing \]"):
        read(
            "customer_id,timestamp,amount\na,2024-01-01,1\n",
            where="regexp_matches(customer_id, '[')",
        )
