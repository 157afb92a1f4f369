"""One kind of reason: the features behind it and the ways to say it."""

from dataclasses import dataclass

import numpy as np

from patronage.retention.economics import Flags, Floats
from patronage.retention.sentences import Sentence, Values

NOTABLE = 0.9
"""A fall or a delay is a reason where the lower of the two numbers is at most 0.9 of the other."""


@dataclass(frozen=True)
class Topic:
    """One kind of reason.

    Attributes
    ----------
    features
        Names of the features whose contributions it adds up.
    sentences
        Ways to say it; the first that is true for a customer is taken.
    """

    features: tuple[str, ...]
    sentences: tuple[Sentence, ...] = ()

    def sayable(self, values: Values) -> Flags:
        """For whom one of the sentences is true."""
        none = np.zeros(len(values.table), dtype=np.bool_)
        return np.asarray(np.any([none, *(one.true_for(values) for one in self.sentences)], axis=0))

    def say(self, values: Values) -> np.ndarray:
        """The first true sentence for each customer, empty where there is none."""
        texts = np.full(len(values.table), "", dtype=object)
        for sentence in self.sentences:
            rows = np.flatnonzero((texts == "") & sentence.true_for(values))
            texts[rows] = sentence.say(values.take(rows))
        return texts


def fell(now: Floats, days_now: int, before: Floats, days_before: int) -> Flags:
    """Less than before, per day as well as in all."""
    per_day = now * days_before <= NOTABLE * before * days_now
    return np.asarray(per_day & (now < before))
