"""One way to say why a customer is at risk, said only where it is true."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd

from patronage.retention.economics import Flags, Floats, Positions
from patronage.retention.wording import counted, currency_decimals, money


@dataclass(frozen=True)
class Values:
    """The customers' feature values; a feature that the panel lacks is missing for all."""

    table: pd.DataFrame
    currency: str

    def numbers(self, name: str) -> Floats:
        """The feature as it is."""
        if name not in self.table:
            return np.full(len(self.table), np.nan)
        return self.table[name].to_numpy(dtype=np.float64)

    def amount(self, name: str, less: str | None = None) -> Floats:
        """The feature, less another, rounded as it is shown, so that what is shown decides."""
        difference = self.numbers(name) - (self.numbers(less) if less else 0.0)
        return np.round(difference, currency_decimals(self.currency))

    def take(self, positions: Positions) -> "Values":
        """The same for the customers at these positions."""
        return Values(self.table.iloc[positions], self.currency)


@dataclass(frozen=True)
class Sentence:
    """A sentence with numbers in it.

    Attributes
    ----------
    numbers
        What it shows, one array each, as shown.
    holds
        For whom it is true, given the numbers; false where one of them is missing.
    words
        The sentence for one customer, given their numbers and the currency.
    """

    numbers: Callable[[Values], tuple[Floats, ...]]
    holds: Callable[..., Flags]
    words: Callable[..., str]

    def true_for(self, values: Values) -> Flags:
        """Whether it can be said of each customer."""
        numbers = self.numbers(values)
        return np.asarray(self.holds(*numbers)) & np.isfinite(numbers).all(axis=0)

    def say(self, values: Values) -> list[str]:
        """The sentence for each customer."""
        rows = zip(*(column.tolist() for column in self.numbers(values)), strict=True)
        return [self.words(*row, values.currency) for row in rows]


def named(*names: str) -> Callable[[Values], tuple[Floats, ...]]:
    """Numbers of a sentence that are features as they are."""
    return lambda values: tuple(values.numbers(name) for name in names)


def days(number: float) -> str:
    """Whole days; the half day of a median between two gaps gives both.

    Examples
    --------
    >>> days(1), days(21), days(21.5)
    ('1 day', '21 days', '21 to 22 days')
    """
    if number == int(number):
        return counted(int(number), "day")
    return f"{int(number):,} to {ceil(number):,} days"


def every(gap: float) -> str:
    """How often, given the days between.

    Examples
    --------
    >>> every(1), every(21)
    ('every day', 'every 21 days')
    """
    return "every day" if gap == 1 else f"every {days(gap)}"


def purchases(number: float) -> str:
    """How many purchases, none included.

    Examples
    --------
    >>> purchases(0), purchases(1), purchases(4)
    ('no purchase', '1 purchase', '4 purchases')
    """
    return counted(int(number), "purchase") if number else "no purchase"


def spent(amount: float, currency: str) -> str:
    """What was spent, nothing included.

    Examples
    --------
    >>> spent(12, "EUR"), spent(0, "EUR")
    ('spent 12.00 EUR', 'spent nothing')
    """
    return f"spent {money(amount, currency)}" if amount else "spent nothing"
