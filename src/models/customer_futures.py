"""What customers active at T will do, drawn at places of a lattice: one class for each kind.

Given that a customer is active, and the stage she is at, all of it but the scale of money depends
on little of her history: futures are drawn once for all customers at a place. Of purchases at any
time the counts need no draws.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.active_traits import ActiveTraits, OpportunityTraits
from patronage.models.count_kernels import (
    LONGEST,
    Shares,
    fill_count_table,
    fill_timed_counts,
)
from patronage.models.covariates import CovariateRfm
from patronage.models.future_draws import draw_futures, draw_opportunities, draw_traits
from patronage.models.history_lattice import Cell, counted_cells, own_cells, timed_cells
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm

FUTURES = {3: 1024, 12: 256, np.inf: 64}
"""Drawn for each set of parameters at a place, by the highest frequency: the more, the more
customers share the place, and chance with it."""
OWN_FUTURES = 64
"""The same where every customer has a place of her own."""
OWN_PLACES = 512
"""Customers with places of their own worked at a time: a bound on memory."""

CountTable: TypeAlias = Callable[[float, Shares], None]
"""Fills the table of one place of the second coordinate."""
Drawn: TypeAlias = Callable[[float], FloatArray]
"""Futures at a place of the second coordinate: a row for each set of parameters and stage."""


class Question(NamedTuple):
    """What is asked: over which horizon, at which discount rate per time unit, how surely."""

    horizon: float
    rate: float
    level: float
    seed: int


class Futures(ABC):
    """Draws the futures of customers under each of the `worlds`, models of one kind.

    `spend` holds p and q in each of them; it has no column where only purchases are asked for.
    """

    stages: int = 1

    def __init__(
        self, worlds: Sequence[PurchaseModel], table: Rfm, question: Question, spend: FloatArray
    ) -> None:
        self.worlds, self.table, self.question = worlds, table, question
        self.spend = np.repeat(spend, self.stages, axis=0)

    @property
    def parts(self) -> int:
        """Sets of parameters x stages."""
        return len(self.worlds) * self.stages

    def weights(self, table: Rfm) -> FloatArray:
        """P(active, and at the stage) / number of sets: a row per customer, a column per part."""
        alive = np.stack([world._alive(table) for world in self.worlds], axis=1)
        return alive / len(self.worlds)

    @abstractmethod
    def cells(self) -> Iterator[Cell]:
        """Every customer in one cell."""

    @abstractmethod
    def at(self, frequency: float, cell: Cell) -> Drawn:
        """Futures of customers of the cell with this frequency."""

    def count_table(self, frequency: float, cell: Cell) -> CountTable:
        """Fills tables of how many purchases customers of the cell with this frequency make."""
        drawn = self.at(frequency, cell)
        return lambda second, above: fill_count_table(drawn(second), above)


class TimedFutures(Futures):
    """Purchases at any time."""

    def __init__(
        self, worlds: Sequence[PurchaseModel], table: Rfm, question: Question, spend: FloatArray
    ) -> None:
        self.traits, self.stages = _rows(worlds, table.take(np.arange(1)), question.horizon)
        super().__init__(worlds, table, question, spend)

    def weights(self, table: Rfm) -> FloatArray:
        """P(active, and at the stage) / number of sets."""
        weights = super().weights(table)
        if self.stages == 1:
            return weights
        at = np.stack([world._stage_shares(table) for world in self.worlds], axis=1)
        return (weights[:, :, None] * at).reshape(len(weights), -1)

    def cells(self) -> Iterator[Cell]:
        """By frequency and T."""
        T = self.table.T / self.question.horizon
        return timed_cells(self.table.frequency, T, self.stages)

    def at(self, frequency: float, cell: Cell) -> Drawn:
        """Futures of customers of the cell with this frequency."""
        draws = -(-_futures_at(frequency) // self.stages)
        seed, horizon = self.question.seed, self.question.horizon
        latent = _latent(self.traits, self.spend, frequency, self.stages, draws, seed)
        how = (self.stages, self.question.rate * horizon, seed)

        def drawn(T: float) -> FloatArray:
            found = np.empty((self.parts, draws))
            draw_futures(self.traits, self.spend, latent, frequency, T, *how, found)
            return found

        return drawn

    def count_table(self, frequency: float, cell: Cell) -> CountTable:
        """Computed, but for horizons so long that counting takes more time than drawing."""

        def fill(T: float, above: Shares) -> None:
            if _is_long(self.traits, T):
                Futures.count_table(self, frequency, cell)(T, above)
            else:
                fill_timed_counts(self.traits, frequency, T, self.stages, above)

        return fill


class OwnFutures(Futures):
    """Purchases at any time of customers who differ by more than their history.

    Each has a place, and chance, of her own, which her history and covariates decide.
    """

    def cells(self) -> Iterator[Cell]:
        """One place for each customer."""
        return own_cells(self.table.frequency, OWN_PLACES)

    def at(self, frequency: float, cell: Cell) -> Drawn:
        """Futures of customers of the cell with this frequency."""
        some, horizon = self.table.take(cell.customers), self.question.horizon
        traits, stages = _rows(self.worlds, some, horizon)
        seeds = _seeds(some, self.question.seed)
        discount = self.question.rate * horizon

        def drawn(place: float) -> FloatArray:
            row = int(place)
            seed, own = int(seeds[row]), traits[row]
            found = np.empty((self.parts, OWN_FUTURES))
            latent = _latent(own, self.spend, frequency, stages, OWN_FUTURES, seed)
            T = some.T[row] / horizon
            draw_futures(own, self.spend, latent, frequency, T, stages, discount, seed, found)
            return found

        return drawn

    def count_table(self, frequency: float, cell: Cell) -> CountTable:
        """As for customers who differ by their history alone."""
        some, horizon = self.table.take(cell.customers), self.question.horizon
        traits, stages = _rows(self.worlds, some, horizon)

        def fill(place: float, above: Shares) -> None:
            own, T = traits[int(place)], some.T[int(place)] / horizon
            if _is_long(own, T):
                Futures.count_table(self, frequency, cell)(place, above)
            else:
                fill_timed_counts(own, frequency, T, stages, above)

        return fill


class OpportunityFutures(Futures):
    """Purchases at opportunities, one in each unit of time."""

    def cells(self) -> Iterator[Cell]:
        """By opportunities taken and missed."""
        return counted_cells(self.table.frequency, self.table.T - self.table.frequency)

    def at(self, frequency: float, cell: Cell) -> Drawn:
        """Futures of customers of the cell with this frequency."""
        traits = np.array([world._active_traits(self.table) for world in self.worlds])
        horizon, rate, _, seed = self.question
        how = (math.ceil(horizon), rate, seed)

        def drawn(missed: float) -> FloatArray:
            found = np.empty((self.parts, _futures_at(frequency)))
            draw_opportunities(traits, self.spend, frequency, missed, *how, found)
            return found

        return drawn


def futures(
    worlds: Sequence[PurchaseModel], table: Rfm, question: Question, spend: FloatArray
) -> Futures:
    """Those of the kind of model and table."""
    if isinstance(table, CovariateRfm):
        return OwnFutures(worlds, table, question, spend)
    if isinstance(worlds[0]._active_traits(table), OpportunityTraits):
        return OpportunityFutures(worlds, table, question, spend)
    return TimedFutures(worlds, table, question, spend)


def _is_long(traits: FloatArray, T: float) -> bool:
    return bool(1 / (traits[:, 1].min() + T) > LONGEST)


def _futures_at(frequency: float) -> int:
    return next(count for highest, count in FUTURES.items() if frequency <= highest)


def _latent(
    traits: FloatArray, spend: FloatArray, frequency: float, stages: int, draws: int, seed: int
) -> FloatArray:
    latent = np.empty((len(traits), draws, 4))
    draw_traits(traits, spend, frequency, stages, seed, latent)
    return latent


def _rows(worlds: Sequence[PurchaseModel], table: Rfm, horizon: float) -> tuple[FloatArray, int]:
    """A row for each part, time in units of the horizon, and the stages of a purchase.

    For each customer where the table has covariates.
    """
    parts = []
    for world in worlds:
        traits = world._active_traits(table)
        assert isinstance(traits, ActiveTraits)
        *numbers, stages = traits
        columns = np.stack(np.broadcast_arrays(*numbers, 0.0), axis=-1)
        rows = np.repeat(columns[..., None, :], stages, axis=-2)
        rows[..., [1, 5]] /= horizon
        rows[..., [0, 6]] += np.arange(stages)[:, None]
        parts.append(rows)
    return np.concatenate(parts, axis=-2), stages


def _seeds(table: Rfm, seed: int) -> NDArray[np.uint64]:
    """A number for each customer that depends on her and on nobody else."""
    assert isinstance(table, CovariateRfm)
    columns = (table.frequency, table.recency, table.T, *table.covariates.T)
    mixed = np.full(len(table.T), seed, np.uint64)
    for column in columns:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(column)
    return mixed >> np.uint64(2)
