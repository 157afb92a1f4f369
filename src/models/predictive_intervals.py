"""Intervals of what each customer will do: of the count of her purchases, and of money.

They hold the noise of the parameters (normal in their logarithms), of her traits given her history,
of whether and until when she is active, of her purchases, of her mean spend and of each amount.
Given that she is active, all of it but the scale of money depends on little of her history; futures
are drawn on a lattice of that, once for all customers, or their counts computed (see
`customer_futures`). No draw is kept.

(1 - level) / 2 is left out at either end. Where nothing at all is likelier than that, it belongs to
the interval, and the rest is left out above; so the interval holds no more than the level, unless
whole numbers, or nothing, allow no less: `probability` says how much.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.errors import SettingsError
from patronage.models.count_kernels import COUNT_EDGES, count_intervals
from patronage.models.customer_futures import Question, futures
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.history_lattice import Cell
from patronage.models.money_kernels import MONEY_EDGES, fill_money_table, money_intervals
from patronage.models.parameter_draws import parameter_draws
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm

BLOCK = 16_384
"""Customers worked at a time: a bound on memory."""
NEGLIGIBLE_DISCOUNT = 45.0
"""What is discounted by exp(-45) does not count."""
THREADS = min(os.cpu_count() or 1, 8)


class Interval(NamedTuple):
    """One of each per customer."""

    low: FloatArray
    high: FloatArray
    probability: FloatArray
    """That the truth lies between, both included."""


Tables = tuple[NDArray[Any], ...]


def count_interval(model: PurchaseModel, table: Rfm, question: Question) -> Interval:
    """Of the purchases in the horizon after T."""
    if question.horizon == 0:
        return _nothing(table)
    found = np.empty((3, len(table.customer_id)))
    for rows, own, some, span in model._in_own_time(table, question.horizon):
        found[:, rows] = _Counts(own, some, question._replace(horizon=span)).solve()
    return Interval(*found)


def money_interval(
    purchases: PurchaseModel, spend: GammaGammaModel, table: Rfm, question: Question, margin: float
) -> Interval:
    """Of the discounted margin on purchases in the horizon after T.

    Raises
    ------
    SettingsError
        If the horizon is infinite without a discount.
    """
    if question.horizon == 0:
        return _nothing(table)
    asked, found = _finite(question), np.empty((3, len(table.customer_id)))
    for rows, own, some, span in purchases._in_own_time(table, asked.horizon):
        # A season moves purchases within the horizon; its discount as a whole stays.
        here = asked._replace(horizon=span, rate=asked.rate * asked.horizon / span)
        found[:, rows] = _Money(own, spend, some, here, margin).solve()
    return Interval(*found)


def _nothing(table: Rfm) -> Interval:
    zero = np.zeros(len(table.customer_id))
    return Interval(zero, zero.copy(), zero + 1)


def _finite(question: Question) -> Question:
    """What is discounted to nothing does not count, so an endless horizon has an end."""
    if question.rate > 0:
        end = NEGLIGIBLE_DISCOUNT / question.rate
        return question._replace(horizon=min(question.horizon, end))
    if np.isinf(question.horizon):
        raise SettingsError(
            "horizon=inf needs a discount rate above 0: without one, what is to come has no bound."
        )
    return question


class _Intervals(ABC):
    """Draws futures cell by cell, and mixes them for each customer."""

    def __init__(
        self, worlds: list[PurchaseModel], table: Rfm, question: Question, spend: FloatArray
    ) -> None:
        self.table, self.level = table, question.level
        self.futures = futures(worlds, table, question, spend)

    def solve(self) -> Interval:
        found = np.empty((len(self.table.customer_id), 3))
        block = max(1, BLOCK // self.futures.stages)
        with ThreadPoolExecutor(THREADS) as pool:
            for cell in self.futures.cells():
                made = self._tables(cell, pool)

                def work(start: int, cell: Cell = cell, made: Tables = made) -> None:
                    rows = slice(start, start + block)
                    some = cell._replace(
                        customers=cell.customers[rows],
                        place=cell.place[rows],
                        share=cell.share[rows],
                    )
                    found[some.customers] = self._block(some, made)

                list(pool.map(work, range(0, len(cell.customers), block)))
        return Interval(*found.T)

    def _tables(self, cell: Cell, pool: ThreadPoolExecutor) -> Tables:
        """Survival at the cell's places, those of one frequency after the other."""
        places = len(cell.seconds)
        made = self._empty(places * len(cell.frequencies))
        for first, x in zip(range(0, len(made[0]), places), cell.frequencies, strict=True):
            tabulate = self._tabulator(x, cell)

            def fill(place: int, first: int = first, tabulate: Any = tabulate) -> None:
                tabulate(cell.seconds[place], *(part[first + place] for part in made))

            list(pool.map(fill, range(places)))
        return made

    @abstractmethod
    def _empty(self, places: int) -> Tables:
        """Room for the tables of so many places."""

    @abstractmethod
    def _tabulator(self, frequency: float, cell: Cell) -> Callable[..., None]:
        """What fills the tables of one place of the second coordinate."""

    @abstractmethod
    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        """Low, high and probability of the cell's customers."""


class _Counts(_Intervals):
    def __init__(self, model: PurchaseModel, table: Rfm, question: Question) -> None:
        (worlds,) = parameter_draws(question.seed, model)
        super().__init__(worlds, table, question, np.empty((len(worlds), 0)))

    def _empty(self, places: int) -> Tables:
        return (np.empty((places, COUNT_EDGES, self.futures.parts), np.float32),)

    def _tabulator(self, frequency: float, cell: Cell) -> Callable[..., None]:
        return self.futures.count_table(frequency, cell)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        weight = self.futures.weights(self.table.take(cell.customers))
        count_intervals(made[0], cell.place, cell.share, weight, self.level, found)
        return found


class _Money(_Intervals):
    def __init__(
        self,
        purchases: PurchaseModel,
        spend: GammaGammaModel,
        table: Rfm,
        question: Question,
        margin: float,
    ) -> None:
        worlds, amounts = parameter_draws(question.seed, purchases, spend)
        p, q, v = np.array([amount.params_ for amount in amounts]).T
        super().__init__(worlds, table, question, np.column_stack([p, q]))
        self.scale, self.margin = np.repeat(v, self.futures.stages), margin
        self.highest_share = 1 - (1 - question.level) / 8

    def _empty(self, places: int) -> Tables:
        above = np.empty((places, self.futures.parts, MONEY_EDGES + 1), np.float32)
        return above, np.empty((places, 3))

    def _tabulator(self, frequency: float, cell: Cell) -> Callable[..., None]:
        drawn = self.futures.at(frequency, cell)
        return lambda second, *tables: fill_money_table(drawn(second), self.highest_share, *tables)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        some = self.table.take(cell.customers)
        spent = some.frequency * np.maximum(some.monetary_value, 0)
        log_scale = np.log(self.margin * (self.scale + spent[:, None]))
        above, frames = made
        weight, level = self.futures.weights(some), self.level
        money_intervals(above, frames, cell.place, cell.share, weight, log_scale, level, found)
        return found
