"""From the sources to customer days: read, check, quarantine, collapse."""

import logging
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw

from patronage.config import Settings
from patronage.data import Ledger, read_ledger
from patronage.errors import DataError
from patronage.features import DayTable, collapse
from patronage.pipelines.run_folder import RunFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Customer days and the days that bound them.

    `as_of` is the day of the run, `data_end` the first day whose purchases are not known then,
    `digest` a fingerprint of all transactions kept.
    """

    days: DayTable
    as_of: date
    data_end: date
    digest: str


def prepare(settings: Settings, run: RunFolder, *, run_at: datetime) -> Prepared:
    """Read the ledger, put bad rows into quarantine, stop if there are too many."""
    with (
        run.step("read and check"),
        read_ledger(settings, read_at=run_at, work_folder=run.path) as ledger,
    ):
        run.manifest["counts"] = {"transactions": asdict(ledger.counts)}
        for warning in ledger.warnings:
            log.warning("%s", warning)
        ledger.write_quarantine(run.path / "quarantine")
        ledger.refuse_if_bad()
        as_of = _day_of_the_run(ledger, settings)
        with run.step("customer days"):
            days = collapse(_before(ledger.transactions, as_of))
        run.manifest["as_of"] = as_of
        run.manifest["data"] = _facts(ledger, days)
    log.info(
        "%s transactions of %s customers, %s to %s; as of %s",
        f"{ledger.counts.rows_kept:,}",
        f"{len(days.customer_ids):,}",
        ledger.first_day,
        ledger.last_day,
        as_of,
    )
    data_end = min(as_of, ledger.last_day + timedelta(days=1))
    return Prepared(days=days, as_of=as_of, data_end=data_end, digest=ledger.digest)


def _before(transactions: nw.LazyFrame[Any], as_of: date) -> nw.LazyFrame[Any]:
    """The one place where later rows are dropped: nothing after it can see them."""
    midnight = datetime(as_of.year, as_of.month, as_of.day)
    return transactions.filter(nw.col("timestamp") < midnight)


def _day_of_the_run(ledger: Ledger, settings: Settings) -> date:
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
