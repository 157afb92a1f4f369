"""Customer lifetime value: purchases to come, times spend per purchase, times margin."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Self, overload

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import SettingsError
from patronage.features import day_table, rfm_summary
from patronage.models.arguments import check_number, check_share, discount_rate
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.likelihood_model import FORMAT, check_saved
from patronage.models.purchase_model import PurchaseModel, purchase_model
from patronage.models.rfm_input import TIMING, Weights
from patronage.models.saving import save_model
from patronage.models.seasonal_model import SeasonalModel
from patronage.time_units import TimeUnit


class CustomerValueModel(BaseEstimator):  # type: ignore[misc]
    """Expected discounted margin, from a purchase model and a spend model.

    Margin is discounted continuously: a purchase s time units after T counts
    exp(-delta s), delta = ln(1 + annual_discount_rate) per year of 365.25 days, integrated over
    the horizon without steps of months.

    Parameters
    ----------
    purchases
        Unfitted model of purchases, of any kind.
    spend
        Unfitted model of spend per purchase.
    time_unit
        Unit of the table's `recency` and `T` and of `horizon`: "h" hours, "D" days, "W" weeks,
        "M" months of 365.25 / 12 days, "Y" years of 365.25. For purchases at opportunities, such
        as a yearly appeal, that of the time from one to the next.

    Attributes
    ----------
    purchases_ : PurchaseModel
        The fitted purchase model.
    spend_ : GammaGammaModel
        The fitted spend model.
    """

    purchases_: PurchaseModel
    spend_: GammaGammaModel

    def __init__(
        self, purchases: PurchaseModel, spend: GammaGammaModel, time_unit: TimeUnit = "D"
    ) -> None:
        self.purchases = purchases
        self.spend = spend
        self.time_unit = time_unit

    @classmethod
    def of_fitted(
        cls, purchases: PurchaseModel, spend: GammaGammaModel, time_unit: TimeUnit = "D"
    ) -> Self:
        """The model made of two that are fitted, or whose parameters were chosen.

        Parameters
        ----------
        purchases, spend, time_unit
            As for the model itself.
        """
        for part in (purchases, spend):
            check_is_fitted(part, "params_")
        model = cls(clone(purchases), clone(spend), time_unit)
        model._check_unit()
        model.purchases_, model.spend_ = purchases, spend
        return model

    def _check_unit(self) -> None:
        if isinstance(self.purchases, SeasonalModel) and self.time_unit != "D":
            raise SettingsError(
                f'time_unit="{self.time_unit}" with a SeasonalModel, whose times are in days: its '
                'table, horizon and discount are too. Take time_unit="D".'
            )

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Fit both models on one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T`, `monetary_value`.
        weights
            How many customers each row stands for.

        Raises
        ------
        DataError
            If a value cannot be, or one of the models finds nothing to estimate.
        SettingsError
            If a model with a season is given another time unit than days.
        """
        self._check_unit()
        self.purchases_ = clone(self.purchases).fit(rfm, weights)
        self.spend_ = clone(self.spend).fit(rfm, weights)
        return self

    def fit_days(self, days: Any, *, as_of: date, rfm: Any = None) -> Self:
        """Fit both models on customer days before `as_of`; a season can be learned from them only.

        Parameters
        ----------
        days
            Customer days: a `DayTable`, or the output of `customer_days`.
        as_of
            Days at or after it are not seen.
        rfm
            `rfm_summary(days, as_of=as_of, gaps=True)`, where it is at hand.

        Raises
        ------
        SettingsError
            If `time_unit` is not "D".
        """
        if self.time_unit != "D":
            raise SettingsError(
                f'time_unit="{self.time_unit}": customer days are counted in days. Take '
                'time_unit="D", or fit on rfm_summary(days, as_of=..., time_unit=...).'
            )
        table = day_table(days)
        known = rfm_summary(table, as_of=as_of, gaps=True) if rfm is None else rfm
        self.purchases_ = clone(self.purchases).fit_days(table, as_of=as_of, rfm=known)
        self.spend_ = clone(self.spend).fit(known)
        return self

    @overload
    def clv(
        self, rfm: Any, horizon: float, annual_discount_rate: float, margin: float
    ) -> "pd.Series[Any]": ...
    @overload
    def clv(
        self,
        rfm: Any,
        horizon: float,
        annual_discount_rate: float,
        margin: float,
        interval: float,
        seed: int = 0,
    ) -> pd.DataFrame: ...
    def clv(
        self,
        rfm: Any,
        horizon: float,
        annual_discount_rate: float,
        margin: float,
        interval: float | None = None,
        seed: int = 0,
    ) -> "pd.Series[Any] | pd.DataFrame":
        """Expected discounted margin of each customer over the horizon after T, in the currency.

        Parameters
        ----------
        rfm
            One row per customer, in the unit of the fit.
        horizon
            In `time_unit`; `math.inf` values all purchases to come.
        annual_discount_rate
            Effective rate per year, e.g. 0.15.
        margin
            Contribution margin as a share of net spend.
        interval
            Probability that the margin a customer will bring lies between `low` and `high`, e.g.
            0.9; None for the expectation alone.
        seed
            Of the draws behind the interval; a customer's interval does not depend on the others.

        Returns
        -------
        Series or DataFrame
            The expectation; with an `interval` the columns `clv`, `low`, `high` and `probability`
            (see `predictive_intervals`).

        Raises
        ------
        SettingsError
            If an argument is out of range.
        DataError
            If a value of the table cannot be, mean spend is infinite, or an interval is asked of a
            fit without standard errors.
        """
        value = self._value(rfm, horizon, annual_discount_rate, margin, given_alive=False)
        if interval is None:
            return value
        rate = discount_rate(annual_discount_rate, self.time_unit)
        return self._with_interval(rfm, value, "clv", horizon, rate, margin, interval, seed)

    def predict_spend(
        self, rfm: Any, horizon: float, interval: float = 0.9, seed: int = 0
    ) -> pd.DataFrame:
        """What each customer will spend in the horizon after T, in the currency, and how surely.

        Parameters
        ----------
        rfm, horizon, interval, seed
            As for `clv`.

        Returns
        -------
        DataFrame
            `spend`, its expectation, `low`, `high` and `probability`.
        """
        value = self._value(rfm, horizon, 0.0, 1.0, given_alive=False)
        return self._with_interval(rfm, value, "spend", horizon, 0.0, 1.0, interval, seed)

    def value_if_kept(
        self, rfm: Any, horizon: float, annual_discount_rate: float, margin: float
    ) -> "pd.Series[Any]":
        """The same, given that the customer is still active: clv / P(alive), also where that is 0.

        Parameters
        ----------
        rfm, horizon, annual_discount_rate, margin
            As for `clv`.
        """
        value = self._value(rfm, horizon, annual_discount_rate, margin, given_alive=True)
        return value.rename("value_if_kept")

    def _value(
        self, rfm: Any, horizon: float, annual: float, margin: float, *, given_alive: bool
    ) -> "pd.Series[Any]":
        check_is_fitted(self, "purchases_")
        share = check_number("margin", margin, closed=False)
        rate = discount_rate(annual, self.time_unit)
        table = self.purchases_._read(rfm, (*TIMING, "monetary_value"))
        asked = self.purchases_._present(table)
        count = self.purchases_._discounted(asked.table, horizon, rate, given_alive=given_alive)
        count *= share
        values = asked.of_each(count)
        values *= self.spend_._expected(table)
        return table.series(values, "clv")

    def _with_interval(
        self,
        rfm: Any,
        value: "pd.Series[Any]",
        name: str,
        horizon: float,
        rate: float,
        margin: float,
        level: float,
        seed: int,
    ) -> pd.DataFrame:
        from patronage.models.customer_futures import Question
        from patronage.models.predictive_intervals import money_interval

        table = self.purchases_._read(rfm, (*TIMING, "monetary_value"))
        question = Question(float(horizon), rate, check_share("interval", level), seed)
        found = money_interval(self.purchases_, self.spend_, table, question, margin)
        return pd.DataFrame({name: value} | found._asdict())

    def save(self, path: Path | str, units: Mapping[str, str] | None = None) -> None:
        """Write the fitted model as JSON, for `load_model`; see `saving.save_model`."""
        save_model(self, path, units)

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        check_is_fitted(self, "purchases_")
        return {
            "model": type(self).__name__,
            "format": FORMAT,
            "time_unit": self.time_unit,
            "purchases": self.purchases_.to_dict(),
            "spend": self.spend_.to_dict(),
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`.

        Raises
        ------
        DataError
            If `saved` is of another model or format.
        """
        check_saved(saved, cls.__name__)
        purchases = purchase_model(saved["purchases"])
        spend = GammaGammaModel.from_dict(saved["spend"])
        return cls.of_fitted(purchases, spend, saved["time_unit"])
