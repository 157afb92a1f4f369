"""The settings: one TOML file, one frozen model per section, checked once when read.

Paths in the file are relative to the file. Money, horizons and the currency have no default.
"""

import difflib
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from patronage.churn_settings import ChurnSection
from patronage.errors import SettingsError
from patronage.sources import SECRET
from patronage.table_settings import (
    CustomersSection,
    Days,
    EventsSection,
    FileSection,
    OutcomesSection,
    Section,
    Share,
    SubscriptionsSection,
    SurveysSection,
    TransactionsSection,
)

EventDays = Annotated[tuple[Annotated[date, Field(strict=False)], ...], Field(strict=False)]
Folder = Annotated[Path, Field(strict=False)]
Whole = TypeVar("Whole", bound=Section)
Money = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


def _day_or_latest(value: Any) -> Any:
    """A day of TOML or as text, or "latest"."""
    if value == "latest" or type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError('is no day; give one such as 2026-01-31, or "latest"') from error


class LedgerSection(Section):
    """What holds for all tables."""

    currency: str
    """ISO 4217 code of every amount, e.g. "EUR"."""
    timezone: str = "UTC"
    """IANA name of the zone in which a calendar day begins and ends."""
    max_bad_share: Share = 0.01
    """A run stops before it trains when a larger share of a table's rows breaks its contract."""
    drop_duplicates: bool = False
    """Drop rows that repeat an earlier one in every column of the source; they are counted."""

    @field_validator("currency")
    @classmethod
    def _currency_code(cls, code: str) -> str:
        if not re.fullmatch("[A-Z]{3}", code):
            raise ValueError("is no ISO 4217 code of three capital letters, such as EUR")
        return code

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is no IANA time zone; use a name such as Europe/London") from error
        return name


class FeaturesSection(Section):
    """Who is looked at, and features of your own."""

    active_days: Days
    """A customer is eligible who bought within so many days before `as_of`."""
    cache: bool | Folder = True
    """Panels are kept for runs on the same data: true: below [run] outputs; a folder; or false."""
    cache_panels: Annotated[int, Field(ge=1, le=1_000)] = 3
    """The cache keeps so many panels, those used last."""
    modules: list[Annotated[str, Field(min_length=1)]] = []
    """Python files, or modules to import, with features of your own: docs/own_features.md."""


class ValueSection(Section):
    """Customer lifetime value."""

    horizon_days: Days
    """Lifetime value counts the margin of so many days from `as_of`."""
    margin: Annotated[float, Field(gt=0, le=1)]
    """Contribution margin as a share of net spend."""
    annual_discount_rate: Annotated[float, Field(ge=0, le=10)]
    """Effective rate per year, 0.15 for 15 %."""
    season: Literal["auto", "none"] = "auto"
    """"auto": a season of the purchase rate is learned, and used if it foresees better."""
    events: dict[str, EventDays] = {}
    """Days of named events, past and to come; `events = { sale = [2025-11-28, 2026-11-27] }`."""

    @field_validator("events")
    @classmethod
    def _events_have_days(cls, events: dict[str, tuple[date, ...]]) -> dict[str, tuple[date, ...]]:
        empty = sorted(name for name, days in events.items() if not days)
        if empty:
            raise ValueError(f"names {', '.join(empty)} without days: give them, or leave it out")
        return events


class Action(Section):
    """One thing a retention team can do, with its costs in the ledger's currency."""

    name: Annotated[str, Field(min_length=1)]
    """As it is named in the list."""
    contact_cost: Money
    """Paid for every customer contacted."""
    offer_cost: Money
    """Paid when the offer is redeemed."""
    accept_rate: Share
    """Share of would-be churners who accept and stay."""
    redeem_rate: Share = 1.0
    """Share of those who would have stayed anyway and redeem the offer all the same."""


class RetentionSection(Section):
    """The budget and the actions it pays for."""

    budget: Money
    """Expected cost of all actions of one list, at most."""
    actions: Annotated[list[Action], Field(min_length=1)]
    """What can be done, one block [[retention.actions]] each."""
    min_p_alive: Share = 0.05
    """Customers less likely than this to be still active are listed last, and not contacted."""
    act_within_days: Days = 7
    """The list's `do_by` lies so many days after `as_of`."""
    owner: str = ""
    """Who works the list; shown in it."""
    watch_rows: Annotated[int, Field(ge=0, le=100_000)] = 500
    """The Watch sheet holds at most so many customers."""

    @field_validator("actions")
    @classmethod
    def _names_differ(cls, actions: list[Action]) -> list[Action]:
        names = [action.name for action in actions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"has two actions named {', '.join(twice)}; give each its own name")
        return actions


class TrackingSection(Section):
    """Where MLflow keeps its database and artifacts."""

    folder: Folder = Path("mlruns")
    """Of the database, the artifacts and Optuna's trials."""
    experiment: Annotated[str, Field(pattern=r"^[\w -]{1,100}$")] = "patronage"
    """MLflow's experiment that gets the runs."""
    promote: Literal["gate", "manual"] = "gate"
    """"gate": a model that passes the gate scores at once; "manual": after `patronage promote`."""
    calibration_slope: Annotated[
        list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=2, max_length=2)
    ] = [0.7, 1.4]
    """The gate refuses a model whose calibration slope lies outside beyond chance; 1 is ideal."""

    @field_validator("calibration_slope")
    @classmethod
    def _slopes_in_order(cls, slopes: list[float]) -> list[float]:
        if not slopes[0] < 1 < slopes[1]:
            raise ValueError("must hold 1, such as [0.7, 1.4]")
        return slopes


class RunSection(Section):
    """What a run is about and where it leaves its results."""

    as_of: Annotated[date | Literal["latest"], BeforeValidator(_day_or_latest)] = "latest"
    """The day of the run; "latest" is the day after the last transaction."""
    outputs: Folder = Path("outputs")
    """Each run leaves a folder here."""
    batch_customers: Annotated[int, Field(ge=1)] = 100_000
    """Customers scored at a time: a bound on memory that changes no result."""


class EngineSection(Section):
    """Where the transactions are read, checked and collapsed to customer days."""

    name: Literal["duckdb", "spark"] = "duckdb"
    """"duckdb": in this process; "spark": on a cluster. PostgreSQL does it by itself."""
    spark_master: str = "local[*]"
    """Spark: the cluster's address, such as "spark://host:7077", or "local[2]"."""
    spark_options: dict[str, str] = {}
    """Spark: further options, such as "spark.executor.memory" = "8g"; no secrets."""

    @model_validator(mode="after")
    def _no_secrets(self) -> Self:
        named = [name for name in self.spark_options if SECRET.search(name)]
        if named:
            raise ValueError(
                f"[engine.spark_options] {named[0]} looks like a secret, and settings are copied "
                "into every run's manifest; put it into spark-defaults.conf or the environment"
            )
        return self


class MonitorSection(Section):
    """From what on `patronage monitor` raises an alarm."""

    psi: Annotated[float, Field(gt=0, le=10)] = 0.25
    """Drift: population stability index of the scores, or of a feature that matters."""
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """... and so small a p-value, corrected for the number of features."""
    min_importance: Share = 0.02
    """A feature matters with so large a share of what all features contribute to the scores."""
    max_null_change: Share = 0.1
    """A feature's share of nulls, so far outside what the training cutoffs had."""
    max_unseen_share: Share = 0.05
    """Share of customers with a category that training did not hold."""
    max_volume_change: Annotated[float, Field(gt=0, le=100)] = 0.5
    """Purchases of four weeks, or eligible customers, up or down by such a share."""
    max_calibration_gap: Share = 0.05
    """Mean prediction and actual share who left, once known, so far apart."""
    max_log_loss_excess: Annotated[float, Field(gt=0, le=10)] = 0.05
    """Realised log loss, so far above what the probabilities themselves promise."""
    min_slope: Annotated[float, Field(ge=-10, le=1)] = 0.7
    """Realised calibration slope: below, probabilities are too bold."""
    max_slope: Annotated[float, Field(ge=1, le=100)] = 1.4
    """Realised calibration slope: above, probabilities are too timid."""
    min_customers: Annotated[int, Field(ge=1)] = 100
    """Fewer customers than this raise no alarm of drift or of realised quality."""


class Settings(Section):
    """All settings of one project."""

    ledger: LedgerSection
    transactions: TransactionsSection
    customers: CustomersSection | None = None
    events: EventsSection | None = None
    surveys: SurveysSection | None = None
    subscriptions: SubscriptionsSection | None = None
    outcomes: OutcomesSection | None = None
    features: FeaturesSection
    churn: ChurnSection
    value: ValueSection
    retention: RetentionSection
    tracking: TrackingSection = TrackingSection()
    run: RunSection = RunSection()
    monitor: MonitorSection = MonitorSection()
    engine: EngineSection = EngineSection()
    folder: Annotated[Path, Field(exclude=True)] = Path()
    """Folder of the settings file, set when it is read."""

    @model_validator(mode="after")
    def _lead_leaves_eligible_customers(self) -> Self:
        if self.churn.lead_days >= self.features.active_days:
            raise ValueError(
                f"[churn] lead_days = {self.churn.lead_days} must be shorter than "
                f"[features] active_days = {self.features.active_days}"
            )
        return self

    @model_validator(mode="after")
    def _contracts_have_terms(self) -> Self:
        if self.churn.label == "subscriptions" and self.subscriptions is None:
            raise ValueError(
                '[churn] label = "subscriptions" needs the table of the subscriptions: '
                '[subscriptions] source = "..."'
            )
        return self

    @property
    def tables(self) -> list[FileSection]:
        """The sections of the tables that are configured, transactions first."""
        others = (self.customers, self.events, self.surveys, self.subscriptions, self.outcomes)
        return [self.transactions, *(section for section in others if section is not None)]

    def path(self, relative: Path | str) -> Path:
        """A path of the file, absolute."""
        return Path(os.path.normpath(self.folder.absolute() / relative))


def load_settings(path: Path) -> Settings:
    """Read and check the settings file.

    Raises
    ------
    SettingsError
        If the file is missing, is no TOML, or any key or value cannot be used; the message lists
        every fault with section, key, value and, for an unknown key, the nearest known name.
    """
    if "snapshot" in toml_of(path):
        raise SettingsError(
            f"{path} holds a [snapshot], a table of customers without transactions. With it go "
            "patronage run, train, score, report, monitor, promote and rollback: docs/snapshots.md"
        )
    return checked_settings(Settings, path)


def toml_of(path: Path) -> dict[str, Any]:
    """What the file holds, unchecked; raises SettingsError if it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"no settings file {path}. Write one: patronage init, or name it: --config FILE"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no valid TOML: {error}") from error


def checked_settings(model: type[Whole], path: Path) -> Whole:
    """The settings of the file as `model` has them; raises SettingsError naming every fault."""
    content = toml_of(path)
    if "folder" in content:
        raise SettingsError(f"{path}: folder is not a setting; paths are relative to the file.")
    try:
        return model.model_validate(content | {"folder": path.absolute().parent})
    except ValidationError as error:
        faults = "\n".join(f"  {_fault(fault, model)}" for fault in error.errors())
        raise SettingsError(f"{path} cannot be used:\n{faults}") from error


def _fault(fault: Any, settings: type[Section]) -> str:
    """One line for one fault that pydantic found."""
    parts = [part for part in fault["loc"] if isinstance(part, str) and part.isidentifier()]
    location = [part for part in parts if part not in ("str", "int", "float", "bool")]
    *sections, key = location or ["settings"]
    where = f"[{'.'.join(sections)}] {key}" if sections else f"[{key}]"
    if fault["type"] == "extra_forbidden":
        return f"{where} is not known. {_suggestion(sections, key, settings)}"
    if fault["type"] == "missing":
        return f"{where} is missing and has no default."
    if not location or fault["type"] == "value_error" and not sections:
        return str(fault["msg"]).removeprefix("Value error, ") + "."
    return f"{where} = {fault['input']!r}: {str(fault['msg']).removeprefix('Value error, ')}."


def _suggestion(sections: list[str], key: str, settings: type[Section]) -> str:
    """The nearest known name in the same section, or else all of them."""
    known = _known_names(sections, settings)
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]}?" if nearest else f"Known: {', '.join(known)}."


def _known_names(sections: list[str], settings: type[Section]) -> list[str]:
    model: type[BaseModel] = settings
    for section in sections:
        model = _section_model(model.model_fields[section].annotation)
    return sorted(name for name in model.model_fields if name != "folder")


def _section_model(annotation: Any) -> type[BaseModel]:
    """The section's model, also out of a list of sections."""
    inner = [part for part in get_args(annotation) if isinstance(part, type)]
    found: type[BaseModel] = inner[0] if inner and issubclass(inner[0], BaseModel) else annotation
    return found
