"""What one model said about a hold-out, and how it is scored."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.backtest_metrics import METRICS, forecast_metrics
from patronage.models.rfm_input import FloatArray


@dataclass(frozen=True)
class Coverage:
    """How often intervals held what came, and how often they were said to."""

    observed: float = np.nan
    stated: float = np.nan


@dataclass(frozen=True)
class Forecast:
    """One model's expectation for each customer; None where it has none."""

    name: str
    purchases: FloatArray | None = None
    spend: FloatArray | None = None
    log_likelihood: float = np.nan
    """Of the counts that came, summed over customers."""
    coverage: dict[str, Coverage] = field(default_factory=dict)
    """By target, "purchases" or "spend"."""
    note: str = ""

    def expected(self, target: str) -> FloatArray | None:
        """Purchases or spend."""
        return self.purchases if target == "purchases" else self.spend

    def row(self, target: str, actual: FloatArray) -> dict[str, float | str]:
        """One line of the backtest table."""
        expected = self.expected(target)
        metrics = dict.fromkeys(METRICS, np.nan) | {"actual": float(actual.sum())}
        if expected is not None and np.isfinite(expected).all():
            metrics = forecast_metrics(actual, expected)
        covered = self.coverage.get(target, Coverage())
        return {
            "target": target,
            "model": self.name,
            **metrics,
            "log_likelihood": self.log_likelihood if target == "purchases" else np.nan,
            "coverage": covered.observed,
            "coverage_stated": covered.stated,
            "note": self.note,
        }


def coverage_of(found: pd.DataFrame, actual: NDArray[np.float64]) -> Coverage:
    """Of intervals with columns `low`, `high` and the `probability` that they claim."""
    low, high = found["low"].to_numpy(float), found["high"].to_numpy(float)
    held = (low <= actual) & (actual <= high)
    return Coverage(float(held.mean()), float(found["probability"].mean()))
