"""The settings of the tables: where each one's files are, and how their columns are read."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from patronage.sources import fault_of

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(gt=0, le=36_500)]

Encoding = Literal[
    "utf-8",
    "utf-16",
    "latin-1",
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "iso-8859-2",
    "iso-8859-5",
    "iso-8859-7",
    "iso-8859-9",
    "iso-8859-13",
    "iso-8859-15",
    "cp437",
    "cp850",
    "cp852",
    "cp866",
    "koi8-r",
]


class Section(BaseModel):
    """A section of the settings: frozen, unknown keys refused, no text or flag taken as number."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class FileSection(Section):
    """Where a table's files are and how they are read."""

    table: ClassVar[str]

    source: str | list[str]
    """A file, a glob, or a list of them: CSV (also .gz) or Parquet. Or PostgreSQL's address."""
    relation: str | None = None
    """PostgreSQL: the table or view, "schema.name"."""
    query: str | None = None
    """PostgreSQL: a query in place of a table."""
    format: Literal["csv", "parquet"] | None = None
    """By default read off the file name."""
    delimiter: Annotated[str, Field(min_length=1, max_length=4)] | None = None
    """CSV: found in the file by default."""
    decimal: Literal[".", ","] = "."
    """CSV: the decimal mark of numbers; the other mark and blanks may group thousands."""
    encoding: Encoding = "utf-8"
    """CSV: the encoding of the text: utf-8, utf-16, latin-1; what Windows writes in Western Europe
    (cp1252), Central Europe (cp1250), Cyrillic (cp1251), Greek (cp1253), Turkish (cp1254) and
    Baltic (cp1257); iso-8859-2, -5, -7, -9, -13 and -15; cp437, cp850, cp852, cp866, koi8-r."""
    date_format: str | None = None
    """strptime format of the times, e.g. "%d/%m/%Y %H:%M"; ISO 8601 by default."""
    where: str | None = None
    """SQL condition over the source's columns; rows that do not meet it are left out."""
    max_bad_share: Share | None = None
    """In place of [ledger] max_bad_share, for this table."""

    @field_validator("delimiter")
    @classmethod
    def _delimiter_can_be(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and any(sign in delimiter for sign in '"\r\n'):
            raise ValueError('cannot part columns: it ends lines or quotes; use one such as ";"')
        return delimiter

    @model_validator(mode="after")
    def _source_can_be_used(self) -> Self:
        fault = fault_of(self.source, self.relation, self.query)
        if fault:
            raise ValueError(f"[{self.table}] {fault}")
        return self


class TransactionColumns(Section):
    """The user's name of each contract column; optional ones may be left out."""

    customer_id: str = "customer_id"
    """Who bought; kept as text."""
    timestamp: str = "timestamp"
    """When: a day, or a day and time."""
    amount: str = "amount"
    """Net spend of the row; negative for a return."""
    order_id: str | None = None
    """Rows of one id are one order."""
    product_id: str | None = None
    """What was bought."""
    category: str | None = None
    """Its category."""
    quantity: str | None = None
    """Units."""
    margin: str | None = None
    """Contribution margin of the row."""
    discount: str | None = None
    """Discount of the row, in money, positive."""
    channel: str | None = None
    """Where it was bought."""
    currency: str | None = None
    """ISO code of the row's amounts; when named, a row in another one than the ledger's is bad."""


class TransactionsSection(FileSection):
    """Where the transaction log is and how its columns are to be read."""

    table: ClassVar[str] = "transactions"

    amount: str | None = None
    """SQL expression over the source's columns, in place of an amount column."""
    columns: TransactionColumns = TransactionColumns()
    """Which source column is which contract column."""


class CustomerColumns(Section):
    """The user's name of each contract column of customers."""

    customer_id: str = "customer_id"
    """Who; as in transactions."""
    valid_from: str | None = None
    """From when on the row's attributes hold; without it they hold for all time."""


class CustomersSection(FileSection):
    """Optional: what is known of each customer besides purchases."""

    table: ClassVar[str] = "customers"

    attributes: list[str] | None = None
    """Source columns to take as attributes; by default all that are not mapped."""
    numbers: list[str] = []
    """Attributes that must be numbers; otherwise those are of which every value is one."""
    texts: list[str] = []
    """Attributes that are texts though they look like numbers, such as codes."""
    columns: CustomerColumns = CustomerColumns()
    """Which source column is which contract column."""


class EventColumns(Section):
    """The user's name of each contract column of events."""

    customer_id: str = "customer_id"
    """Whom it happened to; as in transactions."""
    timestamp: str = "timestamp"
    """When."""
    kind: str = "kind"
    """What: visit, email_sent, email_open, complaint, complaint_resolved, payment_failed, ..."""
    value: str | None = None
    """How much, where the kind has an amount, such as minutes of use."""


class EventsSection(FileSection):
    """Optional: what happened with customers besides purchases."""

    table: ClassVar[str] = "events"

    kind: str | None = None
    """SQL expression over the source's columns, in place of a kind column: "'visit'"."""
    columns: EventColumns = EventColumns()
    """Which source column is which contract column."""


class SurveyColumns(Section):
    """The user's name of each contract column of surveys."""

    customer_id: str = "customer_id"
    """Who was asked; as in transactions."""
    timestamp: str = "timestamp"
    """When."""
    question: str = "question"
    """What: one name for each question, such as nps."""
    score: str = "score"
    """The answer as a number; empty when there was none."""


class SurveysSection(FileSection):
    """Optional: what customers answered, or did not."""

    table: ClassVar[str] = "surveys"

    question: str | None = None
    """SQL expression over the source's columns, in place of a question column: "'nps'"."""
    columns: SurveyColumns = SurveyColumns()
    """Which source column is which contract column."""


class SubscriptionColumns(Section):
    """The user's name of each contract column of subscriptions."""

    customer_id: str = "customer_id"
    """Who subscribed; as in transactions."""
    start: str = "start"
    """First day of the term."""
    end: str | None = None
    """When the term ended or will; empty, or later than 2199, for one without an end."""
    plan: str | None = None
    """What was subscribed."""
    price: str | None = None
    """Of one term, in the ledger's currency."""
    auto_renew: str | None = None
    """Whether it renews by itself: yes or no, ja or nein, 1 or 0 and more: docs/tables.md."""


class SubscriptionsSection(FileSection):
    """Optional: terms of contracts, one row each."""

    table: ClassVar[str] = "subscriptions"

    end_known: Literal["at_end", "at_start"] = "at_end"
    """"at_end": an end is seen only once it has passed; "at_start": it was agreed with the term."""
    columns: SubscriptionColumns = SubscriptionColumns()
    """Which source column is which contract column."""


class OutcomeColumns(Section):
    """The user's name of each contract column of outcomes."""

    customer_id: str = "customer_id"
    """Who was on the list; as in transactions."""
    list_id: str = "list_id"
    """Which list, such as the run_id of at_risk.csv."""
    action: str = "action"
    """What was to be done."""
    arm: str = "arm"
    """treat or control."""
    contacted_at: str | None = None
    """When the customer was contacted; empty if never."""
    outcome: str = "outcome"
    """What came of it; empty if not yet known."""
    cost: str | None = None
    """What it cost, in the ledger's currency."""


class OutcomesSection(FileSection):
    """Optional: what came of earlier lists."""

    table: ClassVar[str] = "outcomes"

    columns: OutcomeColumns = OutcomeColumns()
    """Which source column is which contract column."""
