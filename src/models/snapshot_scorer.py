"""The churn model of a snapshot with all that scoring by it needs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import pandas as pd

from patronage.models.churn import ChurnModel
from patronage.models.scorer import BOOSTER, CHANCES, NUMBERS

KIND = "snapshot"
RISK = "value_at_risk"


@dataclass(frozen=True, kw_only=True)
class SnapshotScorer:
    """Scores rows that look like those of the snapshot it was trained on.

    Parameters
    ----------
    churn
        The fitted model.
    churned
        The column that was foretold.
    horizon_days
        So many days after its day a row's label was known; None without time.
    test_share
        Without time: the share of rows, chosen by what is in them, that it did not learn from.
    """

    churn: ChurnModel
    churned: str
    horizon_days: int | None
    test_share: float

    @property
    def columns(self) -> Sequence[str]:
        """The features that `score` needs."""
        return tuple(self.churn.features)

    def unfair_to(self, other: "SnapshotScorer", test_day: date | None) -> str | None:
        """Why this model cannot be judged on the rows kept to judge the other, if so."""
        if (self.churned, self.horizon_days) != (other.churned, other.horizon_days):
            return f"it foretells {_question(self)}, not {_question(other)}"
        if test_day is not None:
            known = self.churn.cutoffs_[-1] + timedelta(days=self.churn.label_days)
            return f"it was trained on labels after {test_day}" if known > test_day else None
        split, theirs = (
            (one.test_share, one.churn.seed, set(one.columns)) for one in (self, other)
        )
        if split != theirs:
            return "it has other columns, test_share or seed, and may have learnt from these rows"
        return None

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """`p_churn`, `p_churn_low` and `p_churn_high` of each row, on its index.

        Where the rows have a `value`, also `value_at_risk` = p_churn x value.
        """
        if not len(features):
            return features.reindex(columns=CHANCES).astype(float)
        scores = self.churn.predict_interval(features)
        if "value" in features:
            scores[RISK] = scores["p_churn"] * features["value"]
        return scores

    def save(self, folder: Path) -> dict[str, str]:
        """Write the numbers as JSON and the booster as text; gives each file by its role."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers, booster = folder / NUMBERS, folder / BOOSTER
        numbers.write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False))
        booster.write_text(self.churn.booster_.model_to_string())
        return {"numbers": str(numbers), "booster": str(booster)}

    @classmethod
    def load(cls, *, numbers: Path, booster: Path) -> Self:
        """Read what `save` wrote."""
        return cls.from_dict(json.loads(numbers.read_text()), booster.read_text())

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], booster: str) -> Self:
        """The scorer that `to_dict` described."""
        return cls(
            churn=ChurnModel.from_dict(content["churn"], booster),
            churned=content["churned"],
            horizon_days=content["horizon_days"],
            test_share=content["test_share"],
        )

    def to_dict(self) -> dict[str, Any]:
        """All numbers but the booster's trees."""
        return {
            "kind": KIND,
            "churn": self.churn.to_dict(),
            "churned": self.churned,
            "horizon_days": self.horizon_days,
            "test_share": self.test_share,
        }


def _question(scorer: SnapshotScorer) -> str:
    days = scorer.horizon_days
    return scorer.churned if days is None else f"{scorer.churned} in {days} days"
