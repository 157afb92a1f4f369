"""The settings of a snapshot: one table of customers in which who churned is a column.

There is no log of transactions, so that most sections of a project with one have no meaning here.
"""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from patronage.config import (
    LedgerSection,
    Money,
    MonitorSection,
    RetentionSection,
    RunSection,
    Settings,
    TrackingSection,
    checked_settings,
    load_settings,
    toml_of,
)
from patronage.table_settings import Days, FileSection, Section

SNAPSHOT = "snapshot"
Names = list[Annotated[str, Field(min_length=1)]]
Word = str | bool | int | float


class SnapshotJoin(FileSection):
    """A further table whose columns are looked up, one block [[snapshot.joins]] each."""

    table: ClassVar[str] = "snapshot.joins"

    on: str | Names
    """The columns by which rows are matched; a row of it has values that no other row has."""


class SnapshotSection(FileSection):
    """A table with one row per customer; every column not named here is a feature."""

    table: ClassVar[str] = "snapshot"

    churned: Annotated[str, Field(min_length=1)]
    """The column that says who churned; where it is empty it is not known, and to be foretold."""
    yes: list[Word] = []
    """What it holds for who churned; by default yes, true, 1 and the like: docs/tables.md."""
    customer_id: str | None = None
    """The column that names the customer; by default rows are numbered from 1."""
    as_of: str | None = None
    """The column of the day as of which the row was taken; without one there is no time."""
    value: str | Money | None = None
    """What a customer is worth if kept: a column, or one amount for all, in [ledger] currency."""
    features: Names = []
    """Columns to learn from; by default all that have no other part."""
    leave_out: Names = []
    """Columns that are no features, such as what became known only once the customer had left."""
    leaks: Literal["warn", "leave_out", "refuse"] = "warn"
    """Columns that look as if they knew the label: warn, leave them out, or refuse to train."""
    numbers: Names = []
    """Columns that must be numbers; otherwise those are of which every value is one."""
    texts: Names = []
    """Columns that are categories though they look like numbers, such as codes."""
    joins: list[SnapshotJoin] = []
    """Further tables with columns of the same customers."""
    to_score: str | list[str] | None = None
    """Files like `source` of customers to score; by default those whose label is not known."""

    @model_validator(mode="after")
    def _label_is_no_feature(self) -> Self:
        named = [name for name in (self.customer_id, self.as_of) if name is not None]
        if self.churned in named:
            raise ValueError(f"[snapshot] churned = {self.churned!r} is named twice")
        return self


class SnapshotChurnSection(Section):
    """How the model of a snapshot is trained."""

    label: Literal["snapshot"]
    """Who churned is a column of [snapshot]."""
    horizon_days: Days | None = None
    """With `as_of`: so many days after it the label was known."""
    test_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2
    """Share of the rows kept to judge by; with `as_of` these are the rows of the newest day."""
    trials: Annotated[int, Field(ge=1, le=10_000)] = 40
    """Optuna tries at most so many parameter sets."""
    seconds: Annotated[float, Field(gt=0)] = 20
    """Optuna starts no parameter set after so many seconds."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Of the folds, the search and LightGBM."""


class SnapshotSettings(Section):
    """All settings of one snapshot."""

    snapshot: SnapshotSection
    churn: SnapshotChurnSection
    ledger: LedgerSection | None = None
    retention: RetentionSection | None = None
    tracking: TrackingSection = TrackingSection()
    monitor: MonitorSection = MonitorSection()
    run: RunSection = RunSection()
    folder: Annotated[Path, Field(exclude=True)] = Path()
    """Folder of the settings file, set when it is read."""

    @field_validator("snapshot")
    @classmethod
    def _joins_are_files(cls, snapshot: SnapshotSection) -> SnapshotSection:
        for section in (snapshot, *snapshot.joins):
            if section.relation is not None or section.query is not None:
                raise ValueError(f"[{section.table}] reads files; export the table as Parquet")
        return snapshot

    @model_validator(mode="after")
    def _time_and_money_are_whole(self) -> Self:
        if self.snapshot.as_of is not None and self.churn.horizon_days is None:
            raise ValueError(
                "[snapshot] as_of needs [churn] horizon_days, the days after it in which the label "
                "was decided, so that no fold learns from what was not known yet"
            )
        if self.snapshot.value is not None and self.ledger is None:
            raise ValueError("[snapshot] value is money and needs [ledger] currency")
        if self.retention is not None and self.snapshot.value is None:
            raise ValueError(
                "[retention] needs [snapshot] value, a column or an amount: what a customer is "
                "worth decides whom to contact"
            )
        return self

    def path(self, relative: Path | str) -> Path:
        """A path of the file, absolute."""
        return Path(os.path.normpath(self.folder.absolute() / relative))


def is_snapshot(path: Path) -> bool:
    """Whether the file holds the settings of a snapshot.

    Raises
    ------
    SettingsError
        If the file is missing or is no TOML.
    """
    content = toml_of(path)
    churn: Any = content.get("churn")
    named = isinstance(churn, dict) and churn.get("label") == SNAPSHOT
    return named or SNAPSHOT in content


def load_snapshot_settings(path: Path) -> SnapshotSettings:
    """Read and check the settings of a snapshot; errors as for `load_settings`."""
    return checked_settings(SnapshotSettings, path)


def load_any_settings(path: Path) -> Settings | SnapshotSettings:
    """Read and check the settings of a snapshot or of a project with transactions."""
    return load_snapshot_settings(path) if is_snapshot(path) else load_settings(path)
