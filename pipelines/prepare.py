"""From the sources to customer days: read, check, quarantine, collapse."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from patronage.config import Settings
from patronage.data import CONTRACTS, Ledger, read_ledger
from patronage.errors import DataError
from patronage.features import CustomerTables, DayTable, customer_tables, mature_cutoffs
from patronage.features.arrays import calendar_day
from patronage.features.own_modules import own_features
from patronage.features.own_tables import as_of_days, with_features, without_sources
from patronage.features.seen import TIMES, cut
from patronage.models.training_panel import SUBSCRIPTIONS, LabelRule
from patronage.pipelines.families import families_built
from patronage.pipelines.progress import reading_progress
from patronage.pipelines.run_folder import RunFolder
from patronage.retention.wording import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that is known of the customers, and the days that bound it.

    `as_of` is the day of the run, `data_end` the first day whose purchases are not known then,
    `digest` a fingerprint of all rows kept, of all tables.
    """

    tables: CustomerTables
    as_of: date
    data_end: date
    digest: str

    @property
    def days(self) -> DayTable:
        """The customer days."""
        return self.tables.days


def prepare(
    settings: Settings,
    run: RunFolder,
    *,
    run_at: datetime,
    training: bool = True,
    days: Sequence[date] = (),
) -> Prepared:
    """Read the ledger, put bad rows into quarantine, stop if there are too many.

    Expressions of the user's own are computed as of the day of the run and, for `training`, as of
    its cutoffs and further `days`, since the ledger is closed after that.
    """
    with (
        run.step("read and check"),
        read(settings, run, run_at) as ledger,
    ):
        run.manifest.update(checked(ledger))
        _tell(ledger)
        ledger.write_quarantine(run.path / "quarantine")
        ledger.refuse_if_bad()
        as_of = day_of_the_run(ledger, settings)
        data_end = min(as_of, ledger.last_day + timedelta(days=1))
        with run.step("customer days"):
            tables = _customer_tables(ledger, settings, as_of)
        if settings.features.modules:
            with run.step("own features"):
                past = training_cutoffs(settings, tables.days, data_end) if training else ()
                tables = _with_own_features(tables, settings, [*past, *days, as_of])
        run.manifest["as_of"] = as_of
        run.manifest["data"] = _facts(ledger, tables.days)
        run.manifest["families"] = families_built(tables)
    log.info(
        "%s transactions of %s customers, %s to %s; as of %s",
        f"{ledger.counts.rows_kept:,}",
        f"{len(tables.days):,}",
        ledger.first_day,
        ledger.last_day,
        as_of,
    )
    return Prepared(tables=tables, as_of=as_of, data_end=data_end, digest=ledger.digest)


def label_rule(settings: Settings) -> LabelRule:
    """Who is eligible and what churn means, from the settings."""
    churn = settings.churn
    contractual = churn.label == SUBSCRIPTIONS
    return LabelRule(
        active_days=settings.features.active_days,
        horizon_days=churn.horizon_days,
        lead_days=churn.lead_days,
        label=churn.label,
        grace_days=churn.grace_days if contractual else 0,
    )


def training_cutoffs(settings: Settings, days: DayTable, data_end: date) -> tuple[date, ...]:
    """The cutoffs whose labels are known, as the settings have it."""
    return mature_cutoffs(
        first_day=calendar_day(days.first_day),
        data_end=data_end,
        horizon_days=label_rule(settings).decided_days,
        lead_days=settings.churn.lead_days,
        count=settings.churn.max_cutoffs,
        rule=settings.churn.cutoffs,
    )


def quarantine_told(run: RunFolder) -> str:
    """How many rows of which tables are in quarantine, and where they were written."""
    bad = {
        name: count["rows_quarantined"]
        for name, count in run.manifest["counts"].items()
        if count.get("rows_quarantined")
    }
    if not bad:
        return "0 rows in quarantine"
    folder = run.path.parent / run.manifest.get("scores_of", run.run_id) / "quarantine"
    where = f": {folder}" if folder.exists() else ""
    tables = ", ".join(f"{n:,} of {name}" for name, n in bad.items())
    return f"{counted(sum(bad.values()), 'row')} in quarantine, {tables}{where}"


def read(settings: Settings, run: RunFolder, run_at: datetime) -> Ledger:
    """Read every source against its contract, with a progress bar where a terminal is there."""
    with reading_progress() as on_table:
        return read_ledger(settings, read_at=run_at, work_folder=run.path, on_table=on_table)


def checked(ledger: Ledger) -> dict[str, Any]:
    """What the manifest says of each table, and which are not there."""
    tables = ledger.tables.values()
    return {
        "counts": {table.name: asdict(table.counts) for table in tables},
        "tables": {table.name: table.profile.to_dict() for table in tables},
        "tables_missing": [name for name in CONTRACTS if name not in ledger.tables],
        "to_look_at": ledger.warnings,
    }


def _tell(ledger: Ledger) -> None:
    for table in ledger.tables.values():
        if table.name != "transactions":
            found = table.profile
            log.info(
                "%s: %s rows of %s customers, %s of those with a transaction",
                table.name,
                f"{found.rows:,}",
                f"{found.customers:,}",
                f"{found.covered:.1%}",
            )
    for warning in ledger.warnings:
        log.warning("%s", warning)


def _customer_tables(ledger: Ledger, settings: Settings, as_of: date) -> CustomerTables:
    """The tables as they were known at the start of the day; nothing after this sees more."""
    terms = settings.subscriptions
    end_known = "at_end" if terms is None else terms.end_known
    known = sources_of(ledger)
    before = {
        name: cut(rows, name, as_of=as_of, end_known=end_known) for name, rows in known.items()
    }
    return customer_tables(**before, end_known=end_known)


def sources_of(ledger: Ledger) -> dict[str, Any]:
    """The tables that features are made of; transactions stay on their engine."""
    optional = {name: ledger.table(name) for name in TIMES if name != "transactions"}
    there = {name: rows for name, rows in optional.items() if rows is not None}
    return {"transactions": ledger.collect, **there}


def _with_own_features(
    tables: CustomerTables, settings: Settings, cutoffs: Sequence[date]
) -> CustomerTables:
    """Features of the user's own; expressions are computed while the ledger is open."""
    own = own_features(settings.features.modules, folder=settings.path("."))
    return without_sources(as_of_days(with_features(tables, own), cutoffs))


def day_of_the_run(ledger: Ledger, settings: Settings) -> date:
    """The day that the settings ask for, or the day after the last transaction.

    Raises
    ------
    DataError
        If nothing is known before it, or nobody can be eligible on it.
    """
    wanted, after_last = settings.run.as_of, ledger.last_day + timedelta(days=1)
    as_of = wanted if isinstance(wanted, date) else after_last
    if as_of <= ledger.first_day:
        raise DataError(
            f"as_of = {as_of} is not after the first transaction, on {ledger.first_day}; the data "
            f'end on {ledger.last_day}. Choose a day in between, or as_of = "latest".'
        )
    away = (as_of - after_last).days
    if away >= settings.features.active_days:
        raise DataError(
            f"the data end on {ledger.last_day}, {away} days before as_of = {as_of}: nobody bought "
            f"within [features] active_days = {settings.features.active_days} before it. Bring "
            'newer data, or choose an earlier day, or as_of = "latest".'
        )
    if away > 0:
        log.warning(
            "the data end on %s, %s days before as_of: customers look less active than they are",
            ledger.last_day,
            away,
        )
    return as_of


def _facts(ledger: Ledger, days: DayTable) -> dict[str, Any]:
    return {
        "digest": ledger.digest,
        "first_day": ledger.first_day,
        "last_day": ledger.last_day,
        "customers": len(days.customer_ids),
        "customers_without_purchase": days.n_customers_dropped,
    }
