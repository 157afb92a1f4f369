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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.errors import SettingsError
from patronage.models import interval_solver as solver
from patronage.models.active_future import draw_traits
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.history_lattice import Cell, cells
from patronage.models.parameter_draws import parameter_draws
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm
from patronage.models.survival_tables import (
    COUNT_EDGES,
    MONEY_EDGES,
    count_tables,
    money_tables,
)

FUTURES, LEAST_FUTURES = 1024, 256
"""Drawn for each set of parameters at each place: the more, the more customers share it."""
SHARED = 3
"""Frequencies up to this are shared by many."""
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
    return _nothing(table) if question.horizon == 0 else _Counts(model, table, question).solve()


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
    return _Money(purchases, spend, table, _finite(question), margin).solve()


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

    @abstractmethod
    def _tables(self, cell: Cell, pool: ThreadPoolExecutor) -> Tables:
        """Survival at the cell's places, those of one frequency after the other."""

    @abstractmethod
    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        """Low, high and probability of the cell's customers."""

    def _latent(self, frequency: float) -> FloatArray:
        futures = FUTURES if frequency <= SHARED else LEAST_FUTURES
        latent = np.empty((len(self.worlds), futures, 4))
        draw_traits(self.traits, self.spend, frequency, self.question.seed, latent)
        return latent

    def _alive(self, table: Rfm) -> FloatArray:
        return np.stack([world._alive(table) for world in self.worlds], axis=1)


class _Counts(_Intervals):
    def __init__(self, model: PurchaseModel, table: Rfm, question: Question) -> None:
        (params,) = parameter_draws(question.seed, model)
        super().__init__(model, params, table, question)
        self.spend = np.empty((len(params), 0))

    def _tables(self, cell: Cell, pool: ThreadPoolExecutor) -> Tables:
        places = (len(cell.frequencies), len(cell.times), len(self.worlds))
        above = np.empty((*places, COUNT_EDGES), np.float32)
        for x, part in zip(cell.frequencies, above, strict=True):
            latent = self._latent(x)

            def fill(turn: int, x: float = x, latent: Any = latent, part: Any = part) -> None:
                seed, traits = self.question.seed, self.traits
                count_tables(traits, self.spend, latent, x, cell.times, seed, turn, THREADS, part)

            _in_turns(pool, fill)
        return (above.reshape(-1, *above.shape[2:]),)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        alive = self._alive(self.table.take(cell.customers))
        solver.count_intervals(made[0], cell.place, cell.share, alive, self.question.level, found)
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
        params, amounts = parameter_draws(question.seed, purchases, spend)
        super().__init__(purchases, params, table, question)
        p, q, v = np.array(amounts).T
        self.spend, self.scale, self.margin = np.column_stack([p, q]), v, margin
        self.discount = question.rate * question.horizon
        self.highest_share = 1 - (1 - question.level) / 8

    def _tables(self, cell: Cell, pool: ThreadPoolExecutor) -> Tables:
        places = (len(cell.frequencies), len(cell.times), len(self.worlds))
        above = np.empty((*places, MONEY_EDGES + 1), np.float32)
        frames = np.empty((*places[:2], 3))
        for x, *part in zip(cell.frequencies, above, frames, strict=True):
            latent = self._latent(x)

            def fill(turn: int, x: float = x, latent: Any = latent, part: Any = part) -> None:
                drawn = (self.traits, self.spend, latent, x, cell.times)
                how = (self.discount, self.question.seed, self.highest_share)
                money_tables(*drawn, *how, turn, THREADS, *part)

            _in_turns(pool, fill)
        return above.reshape(-1, *above.shape[2:]), frames.reshape(-1, 3)

    def _block(self, cell: Cell, made: Tables) -> FloatArray:
        found = np.empty((len(cell.customers), 3))
        some = self.table.take(cell.customers)
        spent = some.frequency * np.maximum(some.monetary_value, 0)
        log_scale = np.log(self.margin * (self.scale + spent[:, None]))
        above, frames = made
        alive, level = self._alive(some), self.question.level
        solver.money_intervals(
            above, frames, cell.place, cell.share, alive, log_scale, level, found
        )
        return found


def _with_params(model: PurchaseModel, params: Any) -> PurchaseModel:
    other = copy.copy(model)
    other.params_ = params
    return other


def _in_turns(pool: ThreadPoolExecutor, work: Callable[[int], None]) -> None:
    """Each thread does every THREADS-th part."""
    list(pool.map(work, range(THREADS)))
