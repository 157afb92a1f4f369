"""The settings of the churn label and of how its model is trained."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from patronage.cutoff_setting import CutoffSetting, cutoff_setting
from patronage.table_settings import Days, Section


class ChurnSection(Section):
    """The churn label and how its model is trained."""

    label: Literal["purchases", "subscriptions"] = "purchases"
    """Churn is no purchase in the horizon, or a subscription that ends in it: docs/churn.md."""
    grace_days: Annotated[int, Field(ge=0, le=3_650)] = 30
    """Subscriptions: one renewed within so many days of its end goes on."""
    horizon_days: Days
    """Churn: an eligible customer makes no purchase in so many days after the lead."""
    more_horizons_days: Annotated[list[Days], Field(max_length=5)] = []
    """Further horizons, such as [30, 60]: each customer gets p_churn_30 ... too: docs/churn.md."""
    lead_days: Annotated[int, Field(ge=0, le=3_650)] = 0
    """Days between `as_of` and the start of the horizon, in which action is prepared."""
    cutoffs: Annotated[CutoffSetting, BeforeValidator(cutoff_setting)] = "monthly"
    """Days to learn at: "monthly", "weekly", every so many days, or a list of days."""
    max_cutoffs: Annotated[int, Field(ge=3, le=520)] = 24
    """The cutoffs of a rule, newest first, are at most so many."""
    max_rows: Annotated[int, Field(ge=1_000)] = 1_000_000
    """Customers are drawn at random for training where customers x cutoffs are more rows."""
    trials: Annotated[int, Field(ge=1, le=10_000)] = 15
    """Optuna tries at most so many parameter sets; what they bring: docs/churn.md."""
    seconds: Annotated[float, Field(gt=0)] = 20
    """Optuna starts no parameter set after so many seconds."""
    monotone: bool = False
    """Hold the trees to what theory says of a feature's direction: docs/churn.md."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Of the search and of LightGBM."""

    @field_validator("more_horizons_days")
    @classmethod
    def _shortest_first(cls, horizons: list[int]) -> list[int]:
        twice = sorted({days for days in horizons if horizons.count(days) > 1})
        if twice:
            raise ValueError(f"names {', '.join(map(str, twice))} twice; name each horizon once")
        return sorted(horizons)

    @model_validator(mode="after")
    def _further_horizons_fit(self) -> Self:
        if self.horizon_days in self.more_horizons_days:
            raise ValueError(
                f"more_horizons_days has {self.horizon_days}, which is horizon_days; name only "
                "those besides it"
            )
        if self.more_horizons_days and self.label == "subscriptions":
            raise ValueError(
                f"more_horizons_days = {self.more_horizons_days} goes with label = "
                '"purchases" alone; leave it out'
            )
        return self
