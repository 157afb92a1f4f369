"""Why the model takes a customer to be at risk, in words a person can say."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.retention.economics import Flags, Floats
from patronage.retention.family_reasons import FamilyReasons, family_reasons
from patronage.retention.keeping_topics import KEEPING
from patronage.retention.sentences import Sentence, Values
from patronage.retention.topics import (
    ABSENCE,
    FEW,
    LAST_PURCHASE,
    LATE,
    LATE_ON_ONE_GAP,
    LESS_ACTIVE,
    SLOWER,
    TOPICS,
    WORTH,
)

N_REASONS = 3
NOTHING_FOR_DAYS = 90
"""From so many days on, all that is said of less activity is that nothing was bought."""
LIKELY = 0.5
STAYS, BUT, OWN = "likely to stay", "but ", "unusual for them: "
"""Before what keeps a customer, what speaks against it, and what does not raise the risk."""


def plain_reasons(
    features: pd.DataFrame,
    contributions: pd.DataFrame,
    *,
    currency: str,
    inputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """The three topics that push each customer's risk up most, each as a true sentence.

    A sentence names the value and the customer's own usual value, such as "usually buys every
    21 days; now 58 days without", and is about a value that is unusual in the direction that makes
    people leave. A topic that raises the risk but of which no such thing can truly be said is
    passed over. What says the same, as a slow pause before a longer one, is said once.

    No sentence contradicts the number. Only a topic whose features raise the risk when added up is
    a reason. A pause or a fall by the customer's own measure is told all the same, after these, but
    begins with "unusual for them": the average customer looks worse. Of one who is likelier to stay
    than to leave, and than the average customer, the first reason is "likely to stay" with what
    lowers the risk most, and what raises it follows with "but".

    Where nothing is left, the first reason is how long ago the last purchase was; where there
    is room, the last is what there is to lose, marked "at stake": the number and mean size of the
    purchases so far. What is then left over is empty.

    Parameters
    ----------
    features
        One row per customer: `customer_id` as a column or the index, and the features' values;
        `p_churn`, if known, tells who is likely to stay.
    contributions
        The same customers in any order, known by `customer_id` if there is such a column, else by
        the index of `features`: each feature's part in the log-odds of churn, with its sign. A
        column that belongs to no topic, such as the base value, is no reason.
    currency
        ISO 4217 code of the amounts.
    inputs
        Of each feature of the model `family`, `plain`, `unit` and what is `usual`: columns of the
        customers table and own features are told by it, each family once.

    Returns
    -------
    DataFrame
        `customer_id`, `reason_1`, `reason_2`, `reason_3`, in the order of `features`.

    Raises
    ------
    DataError
        If a customer has no contributions.
    """
    values = Values(_with_last_basket(features), currency)
    known = aligned(contributions, features)
    texts = _risks(values, known, inputs or {})
    _say_who_stays(texts, values, known, inputs or {})
    blank = texts == ""
    _fill(texts[:, 0], blank[:, 0], LAST_PURCHASE, values)
    _fill(texts[:, 1], blank[:, 1], WORTH, values)
    _fill(texts[:, 2], blank[:, 2] & ~blank[:, 1], WORTH, values)
    columns = {f"reason_{n + 1}": pd.array(texts[:, n], dtype="str") for n in range(N_REASONS)}
    return pd.DataFrame({"customer_id": ids(features), **columns})


def _risks(
    values: Values, contributions: pd.DataFrame, inputs: Mapping[str, Mapping[str, Any]]
) -> np.ndarray:
    """What raises the risk, then what is unusual by the customer's own measure."""
    said = [name for topic in TOPICS for name in topic.features]
    families = family_reasons(
        values.table, contributions, inputs, said=said, currency=values.currency
    )
    told = (families.texts != "") & (families.sums > 0)
    pushes = np.column_stack(
        [_pushes(values, contributions), np.where(told, families.sums, -np.inf)]
    )
    ranked = np.argsort(-pushes, axis=1, kind="stable")[:, :N_REASONS]
    best = np.take_along_axis(pushes, ranked, axis=1)
    texts = _texts(values, ranked, best > -np.inf, families)
    own = (best <= 0) & (best > -np.inf)
    texts[own] = OWN + texts[own]
    return texts


def _say_who_stays(
    texts: np.ndarray,
    values: Values,
    contributions: pd.DataFrame,
    inputs: Mapping[str, Mapping[str, Any]],
) -> None:
    """Put first what keeps those who are likely to stay; what raises their risk comes after."""
    known = {*inputs, *(name for topic in TOPICS for name in topic.features)}
    total = _sum(contributions, tuple(known))
    rows = np.flatnonzero((values.numbers("p_churn") < LIKELY) & (total < 0))
    few = values.take(rows)
    sums = np.column_stack([_sum(contributions.iloc[rows], topic.features) for topic in KEEPING])
    says = np.column_stack([topic.say(few) for topic in KEEPING])
    keeps = np.where((says != "") & (sums < 0), sums, np.inf)
    place = np.arange(len(rows)), keeps.argmin(axis=1)
    found = np.isfinite(keeps[place])
    after = texts[rows, : N_REASONS - 1]
    plain = (after != "") & ~np.char.startswith(after.astype(str), OWN)
    after[plain] = BUT + after[plain]
    texts[rows, 1:] = after
    texts[rows, 0] = np.where(found, f"{STAYS}: " + says[place], f"{STAYS}, all in all")


def _fill(texts: np.ndarray, blank: Flags, sentence: Sentence, values: Values) -> None:
    """Say the sentence in the blank places, of whom it is true."""
    rows = np.flatnonzero(blank & sentence.true_for(values))
    texts[rows] = sentence.say(values.take(rows))


def ids(table: pd.DataFrame) -> pd.Index:
    """The customers: the column `customer_id`, or else the index."""
    return pd.Index(table["customer_id"]) if "customer_id" in table else table.index


def _with_last_basket(table: pd.DataFrame) -> pd.DataFrame:
    if not {"basket_last_ratio", "basket_mean"} <= set(table):
        return table
    return table.assign(basket_last=table["basket_last_ratio"] * table["basket_mean"])


def aligned(contributions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """The contributions in the order of the features; raises DataError where one is missing."""
    by_id = "customer_id" in contributions
    wanted = ids(features) if by_id else features.index
    rows = (ids(contributions) if by_id else contributions.index).get_indexer(wanted)
    absent = wanted[rows < 0]
    if len(absent):
        raise DataError(
            f"contributions lacks {len(absent):,} of {len(wanted):,} customers, first "
            f"{absent[0]!r}. Explain the rows that were scored."
        )
    return contributions.iloc[rows]


def _pushes(values: Values, contributions: pd.DataFrame) -> Floats:
    """How much each topic raises the log-odds, where it can be said; else minus infinity."""
    sums = np.column_stack([_sum(contributions, topic.features) for topic in TOPICS])
    once = values.numbers("frequency") == 0
    absence, few = TOPICS.index(ABSENCE), TOPICS.index(FEW)
    # One purchase is one sentence, how long ago it was included.
    sums[once, absence] += sums[once, few]
    sums[once, few] = 0
    sayable = np.column_stack([topic.sayable(values) for topic in TOPICS])
    _merge_what_says_the_same(values, sums, sayable)
    return np.where(sayable & ((sums > 0) | _own_changes(values)), sums, -np.inf)


def _own_changes(values: Values) -> Flags:
    """Topics whose sentences compare customers with themselves."""
    changed = np.zeros((len(values.table), len(TOPICS)), dtype=np.bool_)
    late = LATE.true_for(values) | LATE_ON_ONE_GAP.true_for(values)
    changed[:, TOPICS.index(ABSENCE)] = late
    for topic in (LESS_ACTIVE, SLOWER):
        changed[:, TOPICS.index(topic)] = True
    return changed


def _merge_what_says_the_same(values: Values, sums: Floats, sayable: Flags) -> None:
    """Of one who is late, neither a slow pause before nor that nothing was bought is news."""
    absence = TOPICS.index(ABSENCE)
    nothing_bought = values.numbers("days_since_last") >= NOTHING_FOR_DAYS
    always = np.ones_like(nothing_bought)
    for topic, says_the_same in ((SLOWER, always), (LESS_ACTIVE, nothing_bought)):
        place = TOPICS.index(topic)
        both = sayable[:, absence] & sayable[:, place] & says_the_same
        sums[both, absence] += sums[both, place]
        sayable[both, place] = False


def _sum(contributions: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    known = [name for name in names if name in contributions]
    return np.asarray(contributions[known].sum(axis=1), dtype=np.float64)


def _texts(
    values: Values, ranked: np.ndarray, sayable: np.ndarray, families: FamilyReasons
) -> np.ndarray:
    texts = np.full(ranked.shape, "", dtype=object)
    for position, topic in enumerate(TOPICS):
        rows, places = np.nonzero((ranked == position) & sayable)
        texts[rows, places] = topic.say(values.take(rows))
    rows, places = np.nonzero((ranked >= len(TOPICS)) & sayable)
    texts[rows, places] = families.texts[rows, ranked[rows, places] - len(TOPICS)]
    return texts
