"""Value model and churn model of one training run, scored together so that they cannot mix."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import pandas as pd

from patronage.horizon_columns import horizon_columns
from patronage.models.churn import ChurnModel
from patronage.models.customer_value import CustomerValueModel
from patronage.models.further_horizons import further_chances
from patronage.models.training_panel import LabelRule

NUMBERS = "patronage.json"
BOOSTER = "booster.txt"
CHANCES = ["p_churn", "p_churn_low", "p_churn_high"]
RFM = ("frequency", "recency", "T", "monetary_value")
SCORES = (
    *CHANCES,
    "p_alive",
    "p_no_purchase",
    "expected_purchases",
    "expected_spend",
    "clv",
    "value_if_kept",
    "value_at_risk",
)


@dataclass(frozen=True, kw_only=True)
class CustomerScorer:
    """All that scoring needs.

    Parameters
    ----------
    value, churn
        The fitted models; `value` in days.
    rule
        Who is eligible, and the horizon of `p_churn` and `p_no_purchase`.
    value_horizon, margin, annual_discount_rate
        Of `clv` and `expected_purchases`: days, share of net spend, share per year.
    currency
        ISO 4217 code of all amounts.
    as_of
        The day of the training run: nothing on or after it was known.
    own_features
        Features of the user's own that `churn` takes, by name, each with the `source` and the
        `digest` of its code.
    further
        Fitted churn models of further horizons, by their days.
    """

    value: CustomerValueModel
    churn: ChurnModel
    rule: LabelRule
    value_horizon: int
    margin: float
    annual_discount_rate: float
    currency: str
    as_of: date
    own_features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    further: Mapping[int, ChurnModel] = field(default_factory=dict)

    @property
    def scores(self) -> tuple[str, ...]:
        """The columns that `score` gives: `SCORES`, further horizons after p_churn."""
        return (*self.chances, *SCORES[len(CHANCES) :])

    @property
    def chances(self) -> tuple[str, ...]:
        """`CHANCES`, and those of further horizons."""
        further = (name for days in sorted(self.further) for name in horizon_columns(days))
        return (*CHANCES, *further)

    @property
    def columns(self) -> Sequence[str]:
        """The features that `score` needs, besides `customer_id` and `eligible`."""
        return tuple(dict.fromkeys([*RFM, *self.churn.features]))

    @property
    def knows_labels_until(self) -> date:
        """The first day whose purchases no training label has seen."""
        newest: date = self.churn.cutoffs_[-1]
        return newest + timedelta(days=self.rule.label_days)

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        features
            One row per customer: `customer_id`, `eligible` and the features as of one day.

        Returns
        -------
        DataFrame
            On the index of `features`: `p_churn` with the interval `p_churn_low` to `p_churn_high`
            (NaN unless eligible), `p_alive`,
            `p_no_purchase`, `expected_purchases` in the value horizon, `expected_spend` per
            purchase, `clv`, `value_if_kept` and `value_at_risk` = p_churn x value_if_kept, in the
            currency of the data. With further horizons also `p_churn_30` and its interval, ...: see
            `further_chances`.
        """
        eligible = features["eligible"].astype(bool)
        scores = self._value_scores(features)
        known = features.assign(p_no_purchase=scores["p_no_purchase"])[eligible]
        chances = self._chances(known) if len(known) else known.reindex(columns=[*self.chances])
        scores = pd.concat([chances.reindex(features.index), scores], axis=1)
        scores["value_at_risk"] = scores["p_churn"] * scores["value_if_kept"]
        return scores

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the log-odds of churn, on the index of `features`."""
        scores = self._value_scores(features)
        return self.churn.contributions(features.assign(p_no_purchase=scores["p_no_purchase"]))

    def _chances(self, eligible: pd.DataFrame) -> pd.DataFrame:
        """Of every horizon."""
        main = self.churn.predict_interval(eligible)
        if not self.further:
            return main
        rfm, timing, lead = _rfm(eligible), self.value.purchases_, self.rule.lead_days
        starts = {
            days: timing.probability_no_purchase(rfm, horizon=days, lead=lead).to_numpy()
            for days in self.further
        }
        further = further_chances(
            self.further, eligible, starts, main, main_days=self.rule.horizon_days
        )
        return pd.concat([main, further], axis=1)

    def _value_scores(self, features: pd.DataFrame) -> pd.DataFrame:
        rfm = _rfm(features)
        timing, spend = self.value.purchases_, self.value.spend_
        terms = (self.value_horizon, self.annual_discount_rate, self.margin)
        columns = {
            "p_alive": timing.probability_alive(rfm),
            "p_no_purchase": timing.probability_no_purchase(
                rfm, horizon=self.rule.horizon_days, lead=self.rule.lead_days
            ),
            "expected_purchases": timing.expected_purchases(rfm, horizon=self.value_horizon),
            "expected_spend": spend.expected_spend(rfm),
            "clv": self.value.clv(rfm, *terms),
            "value_if_kept": self.value.value_if_kept(rfm, *terms),
        }
        by_row = {name: column.to_numpy() for name, column in columns.items()}
        return pd.DataFrame(by_row, index=features.index)

    def save(self, folder: Path) -> dict[str, str]:
        """Write the numbers as JSON and each booster as text; gives each file by its role."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers, booster = folder / NUMBERS, folder / BOOSTER
        numbers.write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False))
        booster.write_text(self.churn.booster_.model_to_string())
        files = {"numbers": str(numbers), "booster": str(booster)}
        for days, model in self.further.items():
            role = _role(days)
            files[role] = str(folder / f"{role}.txt")
            Path(files[role]).write_text(model.booster_.model_to_string())
        return files

    @classmethod
    def load(cls, *, numbers: Path, booster: Path, **further: Path) -> Self:
        """Read what `save` wrote, each file by its role."""
        content = json.loads(numbers.read_text())
        return cls(
            value=CustomerValueModel.from_dict(content["value"]),
            churn=ChurnModel.from_dict(content["churn"], booster.read_text()),
            rule=LabelRule(**content["rule"]),
            value_horizon=content["value_horizon"],
            margin=content["margin"],
            annual_discount_rate=content["annual_discount_rate"],
            currency=content["currency"],
            as_of=date.fromisoformat(content["as_of"]),
            own_features=content.get("own_features", {}),
            further={
                int(days): ChurnModel.from_dict(one, further[_role(days)].read_text())
                for days, one in content.get("further", {}).items()
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """All numbers but the booster's trees."""
        return {
            "value": self.value.to_dict(),
            "churn": self.churn.to_dict(),
            "rule": vars(self.rule),
            "value_horizon": self.value_horizon,
            "margin": self.margin,
            "annual_discount_rate": self.annual_discount_rate,
            "currency": self.currency,
            "as_of": str(self.as_of),
            "own_features": {name: dict(one) for name, one in self.own_features.items()},
            "further": {str(days): model.to_dict() for days, model in self.further.items()},
        }


def _role(days: int | str) -> str:
    """Of the file of a further horizon's booster."""
    return f"booster_{days}"


def _rfm(features: pd.DataFrame) -> pd.DataFrame:
    return features[["customer_id", *RFM, *features.columns.intersection(["as_of"])]]
