"""Why the model takes a customer to be at risk, in words a person can say."""

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.retention.economics import Flags, Floats
from patronage.retention.sentences import Sentence, Values
from patronage.retention.topics import (
    ABSENCE,
    FEW,
    LAST_PURCHASE,
    LESS_ACTIVE,
    SLOWER,
    TOPICS,
    WORTH,
)

N_REASONS = 3
NOTHING_FOR_DAYS = 90
"""From so many days on, all that is said of less activity is that nothing was bought."""
OWN_CHANGE = (ABSENCE, LESS_ACTIVE, SLOWER)
"""Topics whose sentences compare customers with themselves."""


def plain_reasons(
    features: pd.DataFrame, contributions: pd.DataFrame, *, currency: str
) -> pd.DataFrame:
    """The three topics that push each customer's risk up most, each as a true sentence.

    A sentence names the value and the customer's own usual value, such as "usually buys every
    21 days; now 58 days without", and is about a value that is unusual in the direction that makes
    people leave. A topic that raises the risk but of which no such thing can truly be said is
    passed over. A pause or a fall by the customer's own measure is said, after these, even if the
    average customer looks worse. What says the same, as a slow pause before a longer one, is said
    once. Where none is left, the first reason is how long ago the last purchase was; where there
    is room, the last is what there is to lose, marked "at stake": the number and mean size of the
    purchases so far. What is then left over is empty.

    Parameters
    ----------
    features
        One row per customer: `customer_id` as a column or the index, and the features' values.
    contributions
        The same customers in any order, known by `customer_id` if there is such a column, else by
        the index of `features`: each feature's part in the log-odds of churn, with its sign. A
        column that belongs to no topic, such as the base value, is no reason.
    currency
        ISO 4217 code of the amounts.

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
    pushes = _pushes(values, _aligned(contributions, features))
    ranked = np.argsort(-pushes, axis=1, kind="stable")[:, :N_REASONS]
    texts = _texts(values, ranked, np.take_along_axis(pushes, ranked, axis=1) > -np.inf)
    blank = texts == ""
    _fill(texts[:, 0], blank[:, 0], LAST_PURCHASE, values)
    _fill(texts[:, 1], blank[:, 1], WORTH, values)
    _fill(texts[:, 2], blank[:, 2] & ~blank[:, 1], WORTH, values)
    columns = {f"reason_{n + 1}": pd.array(texts[:, n], dtype="str") for n in range(N_REASONS)}
    return pd.DataFrame({"customer_id": _ids(features), **columns})


def _fill(texts: np.ndarray, blank: Flags, sentence: Sentence, values: Values) -> None:
    """Say the sentence in the blank places, of whom it is true."""
    rows = np.flatnonzero(blank & sentence.true_for(values))
    texts[rows] = sentence.say(values.take(rows))


def _ids(table: pd.DataFrame) -> pd.Index:
    return pd.Index(table["customer_id"]) if "customer_id" in table else table.index


def _with_last_basket(table: pd.DataFrame) -> pd.DataFrame:
    if not {"basket_last_ratio", "basket_mean"} <= set(table):
        return table
    return table.assign(basket_last=table["basket_last_ratio"] * table["basket_mean"])


def _aligned(contributions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    by_id = "customer_id" in contributions
    wanted = _ids(features) if by_id else features.index
    rows = (_ids(contributions) if by_id else contributions.index).get_indexer(wanted)
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
    own_change = np.array([topic in OWN_CHANGE for topic in TOPICS])
    return np.where(sayable & ((sums > 0) | own_change), sums, -np.inf)


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


def _texts(values: Values, ranked: np.ndarray, sayable: np.ndarray) -> np.ndarray:
    texts = np.full(ranked.shape, "", dtype=object)
    for position, topic in enumerate(TOPICS):
        rows, places = np.nonzero((ranked == position) & sayable)
        texts[rows, places] = topic.say(values.take(rows))
    return texts
