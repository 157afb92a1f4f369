"""Why a customer of a snapshot is at risk: each reason a value, what is usual, and who left.

There is no log to tell of a pause or a fall. What can be said of a value is what is usual, and
what share of the customers with such a value has left, beside that of all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from patronage.models.column_levels import level_places
from patronage.retention.economics import Flags, Floats
from patronage.retention.family_reasons import UNUSUAL
from patronage.retention.reasons import BUT, LIKELY, N_REASONS, STAYS, aligned, ids
from patronage.retention.topic import NOTABLE
from patronage.retention.wording import chance, plain_number

LONGEST = 40
"""Characters of a column's name or a text that are told."""
Input = Mapping[str, Any]


def column_reasons(
    features: pd.DataFrame, contributions: pd.DataFrame, inputs: Mapping[str, Input]
) -> pd.DataFrame:
    """Up to three reasons for each customer, such as "Contract: monthly; 46% of such ... left".

    Contributions of columns that say nearly the same are added up before they are ranked, and
    told by the one that adds most. A value is told as a reason only if its family raises the
    customer's risk and more of those with such a value have left than of all; what keeps a
    customer, the other way round. Who is likelier to stay than to leave, and than customers are
    on the whole, gets "likely to stay" with what lowers the risk most first, and what raises it
    after a "but". One of whom nothing can be told so gets a sentence that says just that.

    Parameters
    ----------
    features
        One row per customer: `customer_id` as a column or the index, the model's columns, and
        `p_churn`.
    contributions
        Each column's part in the log-odds of churn, on the same rows.
    inputs
        Of each column `family`, `plain`, `usual` and `levels`, as a training run logs them.

    Returns
    -------
    DataFrame
        `customer_id`, `reason_1`, `reason_2`, `reason_3`, in the order of `features`.

    Raises
    ------
    DataError
        If a customer has no contributions.
    """
    known = aligned(contributions, features)
    names = [name for name in inputs if name in known and name in features]
    told = _Told(features, known, {name: inputs[name] for name in names})
    p_churn = features["p_churn"].to_numpy(dtype=float)
    left = max((float(inputs[name]["left"]) for name in names), default=LIKELY)
    stays = (p_churn < LIKELY) & (p_churn < left)
    raising, lowering = told.first(N_REASONS, up=True), told.first(1, up=False)
    texts = np.where(stays[:, None], _of_one_who_stays(raising, lowering), raising)
    texts[~stays & (texts[:, 0] == ""), 0] = "no single thing stands out: many small ones add up"
    columns = {f"reason_{n + 1}": pd.array(texts[:, n], dtype="str") for n in range(N_REASONS)}
    return pd.DataFrame({"customer_id": ids(features), **columns})


def level_words(level: Mapping[str, Any]) -> str:
    """Who has a value of the level.

    Examples
    --------
    >>> level_words({"text": None, "above": 9.0, "up_to": 29.0, "n": 80, "left": 0.2})
    'those with more than 9, up to 29'
    >>> level_words({"text": "monthly", "above": None, "up_to": None, "n": 80, "left": 0.2})
    'such customers'
    """
    if level["above"] == level["up_to"]:
        return "such customers"
    return f"those with {level_name(level)}"


def level_name(level: Mapping[str, Any]) -> str:
    """The values of a level.

    Examples
    --------
    >>> level_name({"text": None, "above": 9.0, "up_to": None, "n": 80, "left": 0.2})
    'more than 9'
    >>> level_name({"text": None, "above": 6.0, "up_to": 19.0, "whole": True})
    '7 to 19'
    >>> level_name({"text": None, "above": 1.0, "up_to": 1.0, "n": 80, "left": 0.2})
    '1'
    """
    if level["text"] is not None:
        return str(level["text"])
    low, high = level["above"], level["up_to"]
    if low is None and high is None:
        return "not given"
    if low == high:
        return plain_number(low)
    if level.get("whole") and low is not None and high is not None:
        return f"{plain_number(low + 1)} to {plain_number(high)}"
    above = "" if low is None else f"more than {plain_number(low)}"
    return f"{above}{', ' if above and high is not None else ''}" + (
        "" if high is None else f"up to {plain_number(high)}"
    )


def _of_one_who_stays(raising: np.ndarray, lowering: np.ndarray) -> np.ndarray:
    """What keeps the customer, then what speaks against it."""
    first = np.where(lowering != "", f"{STAYS}: " + lowering, f"{STAYS}, all in all")
    after = raising[:, : N_REASONS - 1]
    return np.column_stack([first, np.where(after != "", BUT + after, "")])


class _Told:
    """What can be said of each customer's columns, family by family."""

    def __init__(
        self, features: pd.DataFrame, contributions: pd.DataFrame, inputs: Mapping[str, Input]
    ) -> None:
        self.features, self.inputs = features, inputs
        self.contributions = contributions
        self.families: dict[str, list[str]] = {}
        for name, one in inputs.items():
            self.families.setdefault(str(one["family"]), []).append(name)
        self.levels = {
            name: level_places(features[name], one["levels"]) for name, one in inputs.items()
        }

    def first(self, count: int, *, up: bool) -> np.ndarray:
        """The sentences of the families that push most that way, shape (customers, count)."""
        sign = 1.0 if up else -1.0
        texts = np.full((len(self.features), count), "", dtype=object)
        if not self.families:
            return texts
        each = [self._best(members, sign) for members in self.families.values()]
        sums, best = np.column_stack([s for s, _ in each]), np.column_stack([b for _, b in each])
        pushes = np.where(best >= 0, sums, -np.inf)
        order = np.argsort(-pushes, axis=1, kind="stable")[:, :count]
        names = list(self.inputs)
        for place in range(order.shape[1]):
            picked = np.take_along_axis(best, order[:, [place]], axis=1)[:, 0]
            for column in np.unique(picked[picked >= 0]):
                rows = np.flatnonzero(picked == column)
                texts[rows, place] = self._say(names[column], rows)
        return texts

    def _best(self, members: Sequence[str], sign: float) -> tuple[Floats, np.ndarray]:
        """The family's push, and the place of the column that tells it; -1 where none can."""
        pushes = sign * self.contributions[list(members)].to_numpy(dtype=float)
        sayable = np.column_stack([self._sayable(name, sign) for name in members])
        total = pushes.sum(axis=1)
        ranked = np.where(sayable & (pushes > 0), pushes, -np.inf)
        best = ranked.argmax(axis=1)
        found = np.isfinite(ranked[np.arange(len(best)), best]) & (total > 0)
        names = list(self.inputs)
        places = np.array([names.index(name) for name in members])
        return total, np.where(found, places[best], -1)

    def _sayable(self, name: str, sign: float) -> Flags:
        """Where more of those with such a value have left than of all, or fewer."""
        levels, overall = self.inputs[name]["levels"], float(self.inputs[name]["left"])
        shares = np.array([*(float(level["left"]) for level in levels), np.nan])
        of_such = shares[self.levels[name]]  # the last, none, where there is no level
        with np.errstate(invalid="ignore"):
            fits = of_such * NOTABLE >= overall if sign > 0 else of_such <= NOTABLE * overall
        return np.asarray(fits & ~np.isnan(of_such))

    def _say(self, name: str, rows: np.ndarray) -> list[str]:
        known = self.inputs[name]
        values = self.features[name].astype(object).to_numpy()[rows]
        places = self.levels[name][rows]
        return [
            _sentence(value, known, known["levels"][place])
            for value, place in zip(values, places, strict=True)
        ]


def _sentence(value: Any, known: Input, level: Mapping[str, Any]) -> str:
    shares = f"{chance(level['left'])} of {level_words(level)} left, {chance(known['left'])} of all"
    return f"{str(known['plain'])[:LONGEST]}: {_value(value, known, level)}; {shares}"


def _value(value: Any, known: Input, level: Mapping[str, Any]) -> str:
    """The value in words, and where it is a measure what is usual."""
    if pd.isna(value):
        return "not given"
    if known["unit"] == "text":
        return str(value)[:LONGEST]
    if known["unit"] == "flag":
        return "yes" if value else "no"
    number, usual = float(value), known["usual"]
    far = usual is not None and abs(number - usual) > UNUSUAL * abs(usual)
    if level["above"] == level["up_to"] or not far or plain_number(number) == plain_number(usual):
        return plain_number(number)
    return f"{plain_number(number)}, usual is {plain_number(usual)}"
