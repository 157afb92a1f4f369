"""Intervals of what each customer will do: of the count of her purchases, and of money.

They hold the noise of the parameters (normal in their logarithms), of her traits given her history,
of whether and until when she is active, of her purchases, of her mean spend and of each amount.
Given that she is active, all of it but the scale of money depends on frequency and T alone: futures
are drawn on a lattice of these, once for all customers, and no draw is kept.

(1 - level) / 2 is left out at either end. Where nothing at all is likelier than that, it belongs to
the interval, and the rest is left out above; so the interval holds no more than the level, unless
whole numbers, or nothing, allow no less: `probability` says how much.
"""

import copy
import os
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.errors import SettingsError
from patronage.models.count_kernels import COUNT_EDGES, count_intervals, fill_count_table
from patronage.models.future_draws import draw_futures, draw_traits
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.history_lattice import Cell, cells
from patronage.models.money_kernels import MONEY_EDGES, fill_money_table, money_intervals
from patronage.models.parameter_draws import parameter_draws
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm

FUTURES = {3: 1024, 12: 256, np.inf: 64}
"""Drawn for each set of parameters at a place, by the highest frequency: the more, the more
customers share the place, and chance with it."""
BLOCK = 16_384
"""Customers worked at a time: a bound on memory."""
NEGLIGIBLE_DISCOUNT = 45.0
"""What is discounted by exp(-45) does not count."""
THREADS = min(os.cpu_count() or 1, 8)


class Question(NamedTuple):
    """What is asked: over which horizon, at which discount rate per time unit, how surely."""

    horizon: float
    rate: float
    level: float
    seed: int


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

    spend: FloatArray
    """p and q in each of the sets of parameters; no column where only purchases are asked for."""
    discount: float
    """Over the horizon."""

    def __init__(
        self, model: PurchaseModel, params: list[Any], table: Rfm, question: Question
    ) -> None:
        self.table, self.question = table, question
        self.worlds = [_with_params(model, values) for values in params]
        time_unit = np.array([1, question.horizon, 1, 1, 1, question.horizon])
        self.traits = np.array([world._active_traits() for world in self.worlds]) / time_unit

    def solve(self) -> Interval:
        found = np.empty((len(self.table.customer_id), 3))
        with ThreadPoolExecutor(THREADS) as pool:
            for cell in cells(self.table.frequency, self.table.T / self.question.horizon):
                made = self._tables(cell, pool)

                def work(start: int, cell: Cell = cell, made: Tables = made) -> None:
                    rows = slice(start, start + BLOCK)
                    some = cell._replace(
                        customers=cell.customers[rows],
                        place=cell.place[rows],
                        share=cell.share[rows],
                    )
                    found[some.customers] = self._block(some, made)

                list(pool.map(work, range(0, len(cell.customers), BLOCK)))
        return Interval(*found.T)

    def _tables(self, cell: Cell, pool: ThreadPoolExecutor) -> Tables:
        """Survival at the cell's places, those of one frequency after the other."""
        places = len(cell.times)
        made = self._empty(places * len(cell.frequencies))
        for first, x in zip(range(0, len(made[0]), places), cell.frequencies, strict=True):
            latent = self._latent(x)

            def fill(
                place: int, first: int = first, x: float = x, latent: FloatArray = latent
            ) -> None:
                found = self._futures(latent, x, cell.times[place])
                self._tabulate(found, *(part[first + place] for part in made))

            list(pool.map(fill, range(places)))
        return made

    @abstractmethod
    def _empty(self, places: int) -> Tables:
        """Room for the tables of so many places."""

    @abstractmethod
    def _tabulate(self, found: FloatArray, *tables: Any) -> None:
        """Fill the tables of one place."""

    @abstractmethod
    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        """Low, high and probability of the cell's customers."""

    def _futures(self, latent: FloatArray, frequency: float, T: float) -> FloatArray:
        found = np.empty(latent.shape[:2])
        how = (frequency, T, self.discount, self.question.seed)
        draw_futures(self.traits, self.spend, latent, *how, found)
        return found

    def _latent(self, frequency: float) -> FloatArray:
        futures = next(count for highest, count in FUTURES.items() if frequency <= highest)
        latent = np.empty((len(self.worlds), futures, 4))
        draw_traits(self.traits, self.spend, frequency, self.question.seed, latent)
        return latent

    def _alive(self, table: Rfm) -> FloatArray:
        return np.stack([world._alive(table) for world in self.worlds], axis=1)


class _Counts(_Intervals):
    def __init__(self, model: PurchaseModel, table: Rfm, question: Question) -> None:
        model._active_traits()  # says so where a model offers none
        (params,) = parameter_draws(question.seed, model)
        super().__init__(model, params, table, question)
        self.spend, self.discount = np.empty((len(params), 0)), 0.0

    def _empty(self, places: int) -> Tables:
        return (np.empty((places, len(self.worlds), COUNT_EDGES), np.float32),)

    def _tabulate(self, found: FloatArray, *tables: Any) -> None:
        fill_count_table(found, *tables)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        alive = self._alive(self.table.take(cell.customers))
        count_intervals(made[0], cell.place, cell.share, alive, self.question.level, found)
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
        purchases._active_traits()
        params, amounts = parameter_draws(question.seed, purchases, spend)
        super().__init__(purchases, params, table, question)
        p, q, v = np.array(amounts).T
        self.spend, self.scale, self.margin = np.column_stack([p, q]), v, margin
        self.discount = question.rate * question.horizon
        self.highest_share = 1 - (1 - question.level) / 8

    def _empty(self, places: int) -> Tables:
        above = np.empty((places, len(self.worlds), MONEY_EDGES + 1), np.float32)
        return above, np.empty((places, 3))

    def _tabulate(self, found: FloatArray, *tables: Any) -> None:
        fill_money_table(found, self.highest_share, *tables)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        some = self.table.take(cell.customers)
        spent = some.frequency * np.maximum(some.monetary_value, 0)
        log_scale = np.log(self.margin * (self.scale + spent[:, None]))
        above, frames = made
        alive, level = self._alive(some), self.question.level
        money_intervals(above, frames, cell.place, cell.share, alive, log_scale, level, found)
        return found


def _with_params(model: PurchaseModel, params: Any) -> PurchaseModel:
    other = copy.copy(model)
    other.params_ = params
    return other
