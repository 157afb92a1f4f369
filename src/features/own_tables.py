"""Customer tables with features of the user's own: names checked, expressions computed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date

from patronage.errors import DataError, SettingsError
from patronage.features.arrays import calendar_day, day_number
from patronage.features.catalogue import FEATURES, NEEDED, why_missing
from patronage.features.customer_tables import CustomerTables
from patronage.features.own_expressions import expression_values
from patronage.features.own_feature import OwnFeature
from patronage.features.value_model import FEATURES as VALUE_MODEL

PREFIXES = ("attribute_", "churned_", "p_no_purchase_", "horizon_purchases_")
KEYS = ("customer_id", "as_of", "eligible", "churned", "run_id", "model_version")


def refuse_taken_names(features: Sequence[OwnFeature]) -> None:
    """Stop when two features would be one column.

    Raises
    ------
    SettingsError
        If a name is that of a built-in feature, of a column of the panel, or of another own one.
    """
    built_in = {feature.name: feature.family for feature in (*FEATURES, *VALUE_MODEL)}
    before: dict[str, OwnFeature] = {}
    for own in features:
        if own.name in built_in:
            taken = f"there is a built-in one of that name, in the family {built_in[own.name]}"
        elif own.name in KEYS or own.name.startswith(PREFIXES):
            taken = "such names are kept for columns of the panel"
        elif own.name in before:
            taken = f"there is another of that name, of {before[own.name].source}"
        else:
            before[own.name] = own
            continue
        raise SettingsError(f'{own.place}: {taken}. Rename the function, or give name="...".')


def with_features(tables: CustomerTables, features: Sequence[OwnFeature]) -> CustomerTables:
    """The tables with these features besides those that they have.

    What needs a table that is not there is left out; `families_left_out` says so.

    Raises
    ------
    SettingsError
        If a name is taken, or a value is no decorated function.
    """
    for one in features:
        if not isinstance(one, OwnFeature):
            raise SettingsError(
                f"{one!r} is no feature. Decorate the function: @feature(meaning=..., unit=...)"
            )
    known = [*tables.own, *(one for one in features if one not in tables.own)]
    refuse_taken_names(known)
    missing = {one.name: why for one in known if (why := _missing(one, tables))}
    return replace(
        tables,
        own=tuple(one for one in known if one.name not in missing),
        own_left_out={**tables.own_left_out, **missing},
    )


def as_of_days(tables: CustomerTables, cutoffs: Iterable[date]) -> CustomerTables:
    """The tables with every own expression computed as of these days; what is known stays.

    Raises
    ------
    DataError
        If a day is new and the tables' sources are no longer at hand.
    """
    wanted = frozenset(day_number(cutoff) for cutoff in cutoffs)
    over_tables = [own for own in tables.own if own.table is not None]
    names = frozenset(own.name for own in over_tables)
    if not over_tables or (wanted <= tables.computed_for and names <= tables.computed):
        return tables
    first = over_tables[0]
    if any(own.table not in tables.sources for own in over_tables):
        new = ", ".join(str(calendar_day(day)) for day in sorted(wanted - tables.computed_for))
        raise DataError(
            f"{first.place} was not computed as of {new}, and {first.table} are no longer at hand. "
            "Compute it while they are: as_of_days(tables, cutoffs)."
        )
    days = wanted | tables.computed_for
    values = expression_values(
        over_tables,
        tables.sources,
        tables.days.customer_ids,
        [calendar_day(day) for day in days],
        end_known=tables.end_known,
    )
    return replace(tables, expressions=values, computed_for=days, computed=names)


def without_sources(tables: CustomerTables) -> CustomerTables:
    """The tables without the frames that they were made from, which may be closed then."""
    return replace(tables, sources={})


def why_left_out(own: OwnFeature, known: Collection[str]) -> str:
    """Why the feature cannot be computed of these tables; empty if it can be."""
    wanted = own.table if own.table is not None else own.needs
    return "" if wanted is None or wanted in known else why_missing(wanted)


def _missing(own: OwnFeature, tables: CustomerTables) -> str:
    if own.table is None:
        return why_left_out(own, {name for name in NEEDED if tables.table(name) is not None})
    if own.table == "transactions" and not tables.sources and own.name not in tables.computed:
        raise DataError(
            f"{own.place} is over transactions, and there are only customer days. Make the tables "
            "with customer_tables(transactions, ...)."
        )
    return "" if own.name in tables.computed else why_left_out(own, tables.sources)
