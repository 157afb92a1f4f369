"""Reasons out of features that no topic knows: columns of the customers table, own features.

A family is one kind of reason. What is said is its feature that raises the customer's risk most,
with what is usual among the customers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from patronage.retention.economics import Floats
from patronage.retention.sentences import days
from patronage.retention.wording import chance, money, plain_number

Input = Mapping[str, Any]
UNUSUAL = 0.1
"""A number is unusual that lies further from the usual one than a tenth of it."""


@dataclass(frozen=True)
class FamilyReasons:
    """A column for each family: what it adds to the log-odds, and its sentence; empty if none."""

    sums: Floats
    texts: np.ndarray


def family_reasons(
    features: pd.DataFrame,
    contributions: pd.DataFrame,
    inputs: Mapping[str, Input],
    *,
    said: Iterable[str],
    currency: str,
) -> FamilyReasons:
    """What the other families can say of each customer.

    Parameters
    ----------
    inputs
        Of each feature of the model `family`, `plain`, `unit` and `usual`.
    said
        Features that a topic knows.
    """
    taken = set(said)
    names = [name for name in inputs if name not in taken and name in contributions]
    families: dict[str, list[str]] = {}
    for name in (one for one in names if one in features):
        families.setdefault(str(inputs[name]["family"]), []).append(name)
    columns = [
        _family(features, contributions, members, inputs, currency) for members in families.values()
    ]
    empty = np.empty((len(features), 0))
    return FamilyReasons(
        np.column_stack([empty, *(sums for sums, _ in columns)]),
        np.column_stack([empty.astype(object), *(texts for _, texts in columns)]),
    )


def _family(
    features: pd.DataFrame,
    contributions: pd.DataFrame,
    names: Sequence[str],
    inputs: Mapping[str, Input],
    currency: str,
) -> tuple[Floats, np.ndarray]:
    """Its sum, and the sentence of the feature that adds most among those that can be said."""
    texts = np.column_stack([_texts(features[name], inputs[name], currency) for name in names])
    pushes = contributions[names].to_numpy(dtype=float)
    sayable = np.where((texts != "") & (pushes > 0), pushes, -np.inf)
    best = sayable.argmax(axis=1)
    rows = np.arange(len(features))
    return pushes.sum(axis=1), np.where(np.isfinite(sayable[rows, best]), texts[rows, best], "")


def _texts(column: pd.Series, known: Input, currency: str) -> np.ndarray:
    if known["usual"] is None:
        return np.full(len(column), "", dtype=object)
    told = [_text(value, known, currency) for value in column.astype(object)]
    return np.array(told, dtype=object)


def _text(value: Any, known: Input, currency: str) -> str:
    usual, unit = known["usual"], known["unit"]
    if pd.isna(value) or not _unusual(value, usual):
        return ""
    if unit == "text":
        return f"{known['plain']}: {value}; the most common is {usual}"
    shown, normal = (_shown(float(one), unit, currency) for one in (value, usual))
    return "" if shown == normal else f"{known['plain']}: {shown}; usual is {normal}"


def _unusual(value: Any, usual: Any) -> bool:
    if isinstance(usual, str):
        return str(value) != usual
    return bool(abs(float(value) - usual) > UNUSUAL * abs(usual))


def _shown(number: float, unit: str, currency: str) -> str:
    """The number in its unit.

    Examples
    --------
    >>> _shown(0.25, "share", "EUR"), _shown(1, "flag", "EUR"), _shown(12.5, "money", "EUR")
    ('25%', 'yes', '12.50 EUR')
    """
    if unit == "money":
        return money(number, currency)
    if unit == "share" and 0 <= number <= 1:
        return chance(number)
    if unit == "flag":
        return "yes" if number else "no"
    if unit == "days":
        return days(number)
    return plain_number(number)
