"""`patronage features`: the catalogue, and whether features of one's own keep to the past."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from patronage.config import Settings
from patronage.data import read_ledger
from patronage.errors import DataError, SettingsError
from patronage.features.catalogue import FAMILIES, FEATURES, catalogue_rows, families_without
from patronage.features.own_check import check_own_features
from patronage.features.own_feature import OwnFeature
from patronage.features.own_modules import own_features
from patronage.features.own_tables import why_left_out
from patronage.features.value_model import FEATURES as VALUE_MODEL
from patronage.pipelines.prepare import sources_of
from patronage.retention.wording import counted

SHARES = (0.5, 0.75, 0.9)
"""The days of the check: so far into the data."""


def own_features_of(settings: Settings) -> tuple[OwnFeature, ...]:
    """The features of the modules that the settings name."""
    return own_features(settings.features.modules, folder=settings.path("."))


def features_listed(
    settings: Settings | None, *, family: str | None = None, as_json: bool = False
) -> str:
    """The catalogue as text or JSON; with settings, own features and what is left out as well.

    Raises
    ------
    SettingsError
        If there is no family of that name, or an own module cannot be used.
    """
    own = () if settings is None else own_features_of(settings)
    described = (*FEATURES, *VALUE_MODEL, *(one.feature for one in own))
    families = {one.name for one in FAMILIES} | {one.family for one in described}
    if family is not None and family not in families:
        raise SettingsError(f"no family {family}; there are {', '.join(sorted(families))}.")
    wanted = [one for one in described if family in (None, one.family)]
    rows = catalogue_rows(wanted, own)
    left_out = {} if settings is None else _left_out(settings, own)
    if as_json:
        return json.dumps({"features": rows, "left_out": left_out}, indent=2, ensure_ascii=False)
    shown = {name: why for name, why in left_out.items() if family in (None, name)}
    return "\n".join([*map(_line, rows), "", *_summary(rows, shown)])


def check_features(settings: Settings, *, run_at: datetime) -> str:
    """Try the user's own features on the user's own data.

    Raises
    ------
    DataError
        If one looks ahead, depends on other customers, or is not what it declares.
    SettingsError
        If the settings name no module.
    """
    own = own_features_of(settings)
    if not own:
        raise SettingsError(
            "there are no features of your own to check. Name their file: [features] modules = "
            '["my_features.py"]'
        )
    terms = settings.subscriptions
    with read_ledger(settings, read_at=run_at) as ledger:
        sources = sources_of(ledger)
        days = _days(ledger.first_day, ledger.last_day)
        faults = check_own_features(
            sources, own, cutoffs=days, end_known="at_end" if terms is None else terms.end_known
        )
    passed_over = [
        f"{one.name}: {why}" for one in own if (why := why_left_out(one, _known(settings)))
    ]
    if faults:
        found_wrong = counted(len(faults), "fault")
        raise DataError("\n".join([f"{found_wrong} in features of your own:", *faults]))
    as_of = ", ".join(map(str, days))
    checked = len(own) - len(passed_over)
    told = f"in order, as of {as_of}: {counted(checked, 'feature')} of your own"
    return "\n".join([told, *(f"not checked: {one}" for one in passed_over)])


def _days(first: date, last: date) -> list[date]:
    """Days well into the data, at least one after the first."""
    span = (last - first).days
    return sorted({first + timedelta(days=max(int(span * share), 1)) for share in SHARES})


def _known(settings: Settings) -> set[str]:
    """The tables and columns that the settings name, as features need them."""
    columns = settings.transactions.columns
    bought = {"categories": columns.category, "channels": columns.channel}
    return {section.table for section in settings.tables} | {
        name for name, column in bought.items() if column is not None
    }


def _left_out(settings: Settings, own: Sequence[OwnFeature]) -> dict[str, str]:
    known = _known(settings)
    why = {one.name: why_left_out(one, known) for one in own}
    return (
        families_without(known)
        | _without_column(settings)
        | {name: text for name, text in why.items() if text}
    )


def _without_column(settings: Settings) -> dict[str, str]:
    """Features of contracts that need a column which the settings do not map: always empty."""
    if settings.subscriptions is None:
        return {}
    columns = settings.subscriptions.columns.model_dump()
    needed = {
        one.name: one.null.rpartition("without ")[2] for one in FEATURES if "without " in one.null
    }
    return {
        name: f"subscriptions have no column {column}"
        for name, column in needed.items()
        if column in columns and columns[column] is None
    }


def _line(row: Mapping[str, Any]) -> str:
    window = "" if row["window"] is None else f"{row['window']} d"
    null = f" Null {row['null']}." if row["null"] else ""
    source = f" [{row['source']}]" if "source" in row else ""
    head = f"{row['name']:<32} {row['family']:<12} {row['unit']:<6} {window:>6}"
    return f"{head}  {row['meaning']}{null}{source}"


def _summary(rows: Sequence[Mapping[str, Any]], left_out: Mapping[str, str]) -> list[str]:
    count = f"{len(rows)} features; each column of a customers table is one more"
    return [count, *(f"left out: {name}, since {why}" for name, why in left_out.items())]
