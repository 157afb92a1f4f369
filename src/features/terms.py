"""What follows from the terms of subscriptions, each fact known from its day on."""

from dataclasses import replace

import numpy as np

from patronage.features.arrays import FloatArray, Places
from patronage.features.customer_tables import EndKnown
from patronage.features.records import Records


def before(values: FloatArray, offsets: Places) -> FloatArray:
    """Value of the customer's row before; NaN on the first."""
    shifted = np.concatenate(([np.nan], values[:-1]))[: values.size]
    firsts = offsets[:-1]
    shifted[firsts[firsts < values.size]] = np.nan
    return shifted


def daily_prices(terms: Records, end_known: EndKnown) -> Records:
    """`per_day`, price per day of each term with price and end."""
    start, end = terms.day.astype(np.float64), terms.number("end")
    per_day = terms.number("price") / np.maximum(end - start, 1)
    since = start if end_known == "at_start" else np.maximum(start, end)
    return _facts(terms, "per_day", per_day, since)


def renewals(terms: Records, end_known: EndKnown) -> Records:
    """`gap`, days from the end of a term to the start of the next, of each term after another."""
    start = terms.day.astype(np.float64)
    expiry = before(terms.number("end"), terms.offsets)
    since = start if end_known == "at_start" else np.maximum(start, expiry)
    return _facts(terms, "gap", start - expiry, since)


def plan_changes(terms: Records) -> FloatArray:
    """1 where a term has another plan than the term before; NaN where one is not known."""
    plan = terms.text("plan").codes.astype(np.float64)
    plan[plan < 0] = np.nan
    earlier = before(plan, terms.offsets)
    unknown = np.isnan(plan) | np.isnan(earlier)
    return np.where(unknown, np.nan, plan != earlier)


def _facts(terms: Records, name: str, values: FloatArray, since: FloatArray) -> Records:
    """The values that there are, each known from its day on."""
    facts = replace(terms, numbers={name: values}, texts={})
    return facts.known_from(np.where(np.isnan(values), np.nan, since))
