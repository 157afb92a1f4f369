"""What a backtest of churn found: each test cutoff, the means, and how far ahead of its rivals."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from patronage.models.churn_calibration import INTERVAL
from patronage.models.churn_evaluation import OURS
from patronage.models.clustered_bootstrap import MEAN
from patronage.models.evaluation import CLIP, ChurnMetrics

TENTHS = 10


@dataclass(frozen=True, kw_only=True)
class CutoffJudged:
    """One test cutoff.

    Attributes
    ----------
    cutoff, trained_on
        The day, and the cutoffs whose labels were known on it.
    purchases
        The model of purchases that was chosen.
    scores
        One row per eligible customer: `customer_id`, `churned`, a column for each model,
        `p_churn_low` and `p_churn_high`.
    metrics
        Of each model.
    seconds
        That it took.
    """

    cutoff: date
    trained_on: tuple[date, ...]
    purchases: str
    scores: pd.DataFrame
    metrics: dict[str, ChurnMetrics]
    seconds: float

    @property
    def churn_rate(self) -> float:
        """Share of the customers who churned."""
        return float(self.scores["churned"].mean())

    @property
    def tenths(self) -> pd.DataFrame:
        """Our probability by tenths of the customers, the safest first: see `tenths_held`."""
        return tenths_held(self.scores)

    def rows(self) -> list[dict[str, Any]]:
        """One row per model: the metrics, and by how much the mean lies above the churn rate."""
        return [
            {"cutoff": self.cutoff, "model": name, **metrics, "level_error": self._error(metrics)}
            for name, metrics in self.metrics.items()
        ]

    def _error(self, metrics: ChurnMetrics) -> float | None:
        mean = metrics["mean_predicted"]
        return None if mean is None else mean - self.churn_rate

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "n": len(self.scores),
            "churn_rate": self.churn_rate,
            "trained_on": [str(day) for day in self.trained_on],
            "purchases": self.purchases,
            "seconds": self.seconds,
            "models": {row.pop("model"): _without(row, "cutoff") for row in self.rows()},
            "tenths": self.tenths.to_dict("records"),
        }


@dataclass(frozen=True, kw_only=True)
class ChurnBacktest:
    """All test cutoffs, oldest first, and what can be said of them together.

    Attributes
    ----------
    cutoffs
        What was found at each.
    differences
        `paired_differences` of our model from each rival; `cutoff` is the day, or "mean".
    left_out
        Cutoffs at which nothing could be judged, with the reason.
    """

    cutoffs: tuple[CutoffJudged, ...]
    differences: pd.DataFrame
    left_out: dict[date, str]

    @property
    def table(self) -> pd.DataFrame:
        """One row per cutoff and model: `cutoff`, `model` and the metrics."""
        return pd.DataFrame([row for one in self.cutoffs for row in one.rows()])

    @property
    def all_scores(self) -> pd.DataFrame:
        """The scores of all cutoffs under each other, with `as_of`."""
        return pd.concat(
            [one.scores.assign(as_of=pd.Timestamp(one.cutoff)) for one in self.cutoffs],
            ignore_index=True,
        )

    @property
    def means(self) -> pd.DataFrame:
        """Mean of each metric over the cutoffs; one row per model, the least log loss first."""
        table = self.table.drop(columns="cutoff").set_index("model").astype(float)
        means = table.groupby(level=0, sort=False).mean()
        return means.sort_values("log_loss", kind="stable", na_position="last")

    @property
    def rivals(self) -> list[str]:
        """The other models, the least mean log loss first; then those that only rank."""
        return [str(name) for name in self.means.index if name != OURS]

    def ahead(self, rival: str, metric: str = "log_loss") -> int:
        """At how many cutoffs our log loss (or Brier score) lies below the rival's."""
        table = self.table.pivot(index="cutoff", columns="model", values=metric).astype(float)
        return int((table[OURS] < table[rival]).sum())

    def difference(self, rival: str, metric: str = "log_loss") -> tuple[float, float, float]:
        """Our mean metric less the rival's, and its 90 % interval."""
        table = self.differences
        mine = (table["rival"] == rival) & (table["metric"] == metric) & (table["cutoff"] == MEAN)
        row = table[mine].iloc[0]
        return float(row["difference"]), float(row["low"]), float(row["high"])

    @property
    def held(self) -> tuple[int, int]:
        """Tenths whose churn rate lay within `p_churn_low` and `p_churn_high`, and all tenths."""
        held = pd.concat([one.tenths["held"] for one in self.cutoffs])
        return int(held.sum()), len(held)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: means, differences, tenths that held, and every cutoff."""
        held, tenths = self.held
        return {
            "mean": {name: _plain(row) for name, row in self.means.iterrows()},
            "ahead": {name: self.ahead(name) for name in self.rivals if self._has_loss(name)},
            "differences": [
                {**row, "cutoff": str(row["cutoff"])} for row in self.differences.to_dict("records")
            ],
            "tenths_held": {"held": held, "of": tenths, "share": held / tenths},
            "left_out": {str(day): reason for day, reason in self.left_out.items()},
            "by_cutoff": {str(one.cutoff): one.to_dict() for one in self.cutoffs},
        }

    def _has_loss(self, name: str) -> bool:
        return bool(self.means["log_loss"].notna()[name])


def tenths_held(scores: pd.DataFrame) -> pd.DataFrame:
    """Our probability by tenths of equally many customers, the lowest first.

    Returns
    -------
    DataFrame
        `n`, mean `predicted`, `low` and `high`, the `actual` rate, and whether it `held`: lay
        within low and high, widened in log-odds by what chance gives so many customers.
    """
    order = scores[OURS].rank(method="first") - 1
    tenth = (order * TENTHS // len(scores)).astype(int)
    table = (
        scores.groupby(tenth)
        .agg(
            n=("churned", "size"),
            predicted=(OURS, "mean"),
            low=("p_churn_low", "mean"),
            high=("p_churn_high", "mean"),
            actual=("churned", "mean"),
        )
        .reset_index(drop=True)
    )
    return table.assign(held=_held(table))


def _held(table: pd.DataFrame) -> pd.Series:
    """Whether the rate that came lies within the interval of the rate, and of chance around it."""
    n, p = table["n"], table["predicted"].clip(CLIP, 1 - CLIP)
    middle = logit(p)
    ends = [logit(table[end].clip(CLIP, 1 - CLIP)) - middle for end in ("low", "high")]
    low, high = (np.sign(end) * np.sqrt(end**2 + INTERVAL**2 / (n * p * (1 - p))) for end in ends)
    # Half a customer either way: in a tenth where hardly anybody leaves, a rate has few values.
    least, most = (expit(middle + end) + half / n for end, half in ((low, -0.5), (high, 0.5)))
    return table["actual"].between(least, most)


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _plain(row: pd.Series) -> dict[str, float | None]:
    return {str(key): None if np.isnan(value) else float(value) for key, value in row.items()}
