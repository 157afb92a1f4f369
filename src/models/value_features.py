"""The features of the family value_model: models fitted as of each cutoff, asked row by row."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone

from patronage.errors import DataError
from patronage.features import DayTable, Grid, rfm_summary
from patronage.features.arrays import FloatArray, calendar_day
from patronage.features.family import Computed, Family
from patronage.features.value_model import (
    NO_PURCHASE,
    PURCHASES,
    features_of_horizons,
    named,
)
from patronage.models.betageo import BetaGeoModel
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.purchase_model import PurchaseModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FittedValue:
    """Models of purchases and of spend that know what lies before one day."""

    purchases: PurchaseModel
    spend: GammaGammaModel | None
    """None where too few came back to fit one."""
    no_spend: str = ""
    """Why there is no model of spend."""

    @classmethod
    def of_days(
        cls, days: DayTable, *, as_of: date, purchases: PurchaseModel | None = None, rfm: Any = None
    ) -> Self:
        """Fit both on the customer days before `as_of`.

        Parameters
        ----------
        days
            Of all customers.
        purchases
            Unfitted; BG/NBD by default.
        rfm
            `rfm_summary(days, as_of=as_of, gaps=True)`, where it is at hand.

        Raises
        ------
        DataError
            If no model of purchases can be fitted.
        """
        known = rfm_summary(days, as_of=as_of, gaps=True) if rfm is None else rfm
        model = BetaGeoModel() if purchases is None else clone(purchases)
        return cls(model.fit_days(days, as_of=as_of, rfm=known), *_spend_or_why(known))

    def expected(
        self, rfm: pd.DataFrame, *, horizons_days: Sequence[int], lead_days: int = 0
    ) -> pd.DataFrame:
        """The features of each row of the table, on customer_id.

        Parameters
        ----------
        rfm
            `rfm_summary(..., gaps=True)` as of the day of the fit, of any customers.
        horizons_days, lead_days
            Those of the label.
        """
        chances: dict[str, Any] = {"p_alive": self.purchases.probability_alive(rfm)}
        for horizon in horizons_days:
            chances[named(NO_PURCHASE, horizon, horizons_days)] = (
                self.purchases.probability_no_purchase(rfm, horizon=horizon, lead=lead_days)
            )
            chances[named(PURCHASES, horizon, horizons_days)] = self._ahead(rfm, horizon, lead_days)
        nothing = pd.Series(np.nan, index=pd.Index(rfm["customer_id"]))
        chances["expected_spend"] = (
            nothing if self.spend is None else self.spend.expected_spend(rfm)
        )
        order = [feature.name for feature in features_of_horizons(horizons_days)]
        return pd.DataFrame(chances)[order]

    def _ahead(self, rfm: pd.DataFrame, horizon_days: int, lead_days: int) -> "pd.Series[Any]":
        """Purchases expected in the horizon, which begins after the lead."""
        ahead = self.purchases.expected_purchases(rfm, horizon=lead_days + horizon_days)
        if not lead_days:
            return ahead
        return ahead - self.purchases.expected_purchases(rfm, horizon=lead_days)


def _spend_or_why(rfm: pd.DataFrame) -> tuple[GammaGammaModel | None, str]:
    try:
        spend = GammaGammaModel().fit(rfm)
    except DataError as error:
        return None, str(error)
    return (spend, "") if spend.converged_ else (None, spend.diagnosis_)


@dataclass(frozen=True)
class ValueFeatures:
    """The family for a panel: what the models of its cutoffs expect of each of its rows."""

    fitted: dict[date, FittedValue]
    missing: dict[date, str]
    """Cutoffs at which no model of purchases can be fitted, and why: the features are null."""
    horizons_days: tuple[int, ...]
    lead_days: int = 0

    @property
    def family(self) -> Family:
        """For `write_panel(..., families=[...])`."""
        return Family("value_model", features_of_horizons(self.horizons_days), self.compute)

    def compute(self, grid: Grid) -> Computed:
        """One value of each feature for each row of the grid, of any customers."""
        columns = {
            one.name: np.full(grid.as_of.size, np.nan)
            for one in features_of_horizons(self.horizons_days)
        }
        for day in np.unique(grid.as_of):
            fitted = self.fitted.get(calendar_day(int(day)))
            if fitted is not None:
                self._fill(columns, grid, int(day), fitted)
        return columns

    def _fill(
        self, columns: dict[str, FloatArray], grid: Grid, day: int, fitted: FittedValue
    ) -> None:
        rows = np.flatnonzero(grid.as_of == day)
        known = rfm_summary(grid.table, as_of=calendar_day(day), gaps=True)
        who = grid.table.customer_ids[grid.customer[rows]]
        asked = known.iloc[pd.Index(known["customer_id"]).get_indexer(who)]
        expected = fitted.expected(
            asked, horizons_days=self.horizons_days, lead_days=self.lead_days
        )
        for name, column in expected.items():
            columns[str(name)][rows] = column.to_numpy()


def value_features(
    days: DayTable,
    *,
    cutoffs: Sequence[date],
    horizons_days: Sequence[int],
    lead_days: int = 0,
    purchases: PurchaseModel | None = None,
) -> ValueFeatures:
    """Fit models of purchases and spend on the past of each cutoff.

    Parameters
    ----------
    days
        Of all customers, whoever the panel is to hold.
    cutoffs
        Those of the panel.
    horizons_days, lead_days
        Those of its labels.
    purchases
        Unfitted model; BG/NBD by default.
    """
    fitted, missing = {}, {}
    for cutoff in sorted(set(cutoffs)):
        try:
            fitted[cutoff] = FittedValue.of_days(days, as_of=cutoff, purchases=purchases)
        except DataError as error:
            missing[cutoff] = str(error)
            log.warning("the features of value_model are null as of %s: %s", cutoff, error)
    _tell_lacking_spend(fitted)
    return ValueFeatures(fitted, missing, tuple(horizons_days), lead_days)


def _tell_lacking_spend(fitted: dict[date, FittedValue]) -> None:
    """Once for all cutoffs, in one line."""
    lacking = {str(cutoff): one.no_spend for cutoff, one in fitted.items() if one.no_spend}
    if lacking:
        log.info(
            "the feature expected_spend is empty at %d of %d cutoffs (%s), where the model of "
            "spend has no clear estimate; the others are not affected. The last of them: %s",
            len(lacking),
            len(fitted),
            ", ".join(lacking),
            list(lacking.values())[-1],
        )
