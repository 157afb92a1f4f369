"""The contract of each table: docs/tables.md says the same in words."""

from datetime import datetime

import narwhals as nw

from patronage.data.declaration import Column, Contract, Rule

LONG_AGO = datetime(1900, 1, 2)
"""Contracts may be old; Excel writes an empty date as 1900-01-00 or 1900-01-01."""

_CUSTOMER = Column(name="customer_id", kind="id", required=True)
_WHEN = Column(name="timestamp", kind="time", required=True)

TRANSACTIONS = Contract(
    table="transactions",
    columns=(
        _CUSTOMER,
        _WHEN,
        Column(name="amount", kind="number", required=True, computable=True),
        Column(name="order_id", kind="id", nullable=True),
        Column(name="product_id", kind="id", nullable=True),
        Column(name="category", kind="text", nullable=True),
        Column(name="quantity", kind="number", nullable=True),
        Column(name="margin", kind="number", nullable=True),
        Column(name="discount", kind="number", nullable=True),
        Column(name="channel", kind="text", nullable=True),
        Column(name="currency", kind="text", nullable=True, passed_on=False),
    ),
    rules=(
        Rule(
            "discount of a sale is negative",
            (nw.col("discount") < 0) & (nw.col("amount") > 0),
            ("discount", "amount"),
        ),
    ),
    checks_unnamed=False,
)

CUSTOMERS = Contract(
    table="customers",
    columns=(_CUSTOMER, Column(name="valid_from", kind="time", earliest=LONG_AGO)),
    key=("customer_id", "valid_from"),
)

EVENTS = Contract(
    table="events",
    columns=(
        _CUSTOMER,
        _WHEN,
        Column(name="kind", kind="text", required=True, computable=True),
        Column(name="value", kind="number", nullable=True),
    ),
)

SURVEYS = Contract(
    table="surveys",
    columns=(
        _CUSTOMER,
        _WHEN,
        Column(name="question", kind="text", required=True, computable=True),
        Column(name="score", kind="number", required=True, nullable=True),
    ),
)

SUBSCRIPTIONS = Contract(
    table="subscriptions",
    columns=(
        _CUSTOMER,
        Column(name="start", kind="time", required=True, earliest=LONG_AGO, may_be_future=True),
        Column(
            name="end",
            kind="time",
            nullable=True,
            earliest=LONG_AGO,
            may_be_future=True,
            open_ended=True,
        ),
        Column(name="plan", kind="text", nullable=True),
        Column(name="price", kind="number", nullable=True, minimum=0),
        Column(name="auto_renew", kind="flag", nullable=True),
    ),
    rules=(Rule("end is before start", nw.col("end") < nw.col("start"), ("end", "start")),),
)

OUTCOMES = Contract(
    table="outcomes",
    columns=(
        _CUSTOMER,
        Column(name="list_id", kind="id", required=True),
        Column(name="action", kind="text", required=True),
        Column(name="arm", kind="text", required=True, words=("treat", "control")),
        Column(name="contacted_at", kind="time", nullable=True),
        Column(name="outcome", kind="text", required=True, nullable=True),
        Column(name="cost", kind="number", nullable=True, minimum=0),
    ),
    key=("customer_id", "list_id", "action"),
)

CONTRACTS = {
    contract.table: contract
    for contract in (TRANSACTIONS, CUSTOMERS, EVENTS, SURVEYS, SUBSCRIPTIONS, OUTCOMES)
}
