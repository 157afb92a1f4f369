"""The gate: whether a challenger may become champion, judged on rows nobody has trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.evaluation import log_losses

FloatArray = NDArray[np.float64]
REPLICATES = 2000
NEGLIGIBLE = 0.001  # nats of log loss: a champion is not kept for a difference nobody would notice
BLOCK = 100  # replicates drawn at a time: bounds memory at BLOCK x customers


@dataclass(frozen=True)
class Comparison:
    """The challenger's log loss beside another score's on the same customers.

    `difference` is challenger minus other (negative: the challenger is better), `low` and `high`
    its 90 % interval by paired bootstrap over customers.
    """

    other: str
    challenger_loss: float
    other_loss: float
    difference: float
    low: float
    high: float
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """All comparisons of one challenger; it passes when each is passed."""

    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        """Whether every comparison was passed."""
        return all(comparison.passed for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"passed": self.passed, "comparisons": [asdict(c) for c in self.comparisons]}

    def __str__(self) -> str:
        """One line for each comparison."""
        return "\n".join(_sentence(comparison) for comparison in self.comparisons)


def judge(
    churned: pd.Series,
    challenger: pd.Series,
    *,
    to_beat: Mapping[str, pd.Series],
    champion: pd.Series | None = None,
    seed: int = 0,
) -> Verdict:
    """Compare a challenger's probabilities with the baselines' and the champion's.

    Parameters
    ----------
    churned, challenger
        Label and probability of the same out-of-time customers, in the same order.
    to_beat
        Probabilities that the challenger's mean log loss must lie below.
    champion
        The champion's probabilities: the challenger may not be worse beyond chance, that is, the
        90 % interval of the difference may not lie wholly above `NEGLIGIBLE`.
    """
    rng = np.random.default_rng(seed)
    own = log_losses(churned, challenger)
    comparisons = [
        _compare(name, own, log_losses(churned, other), rng) for name, other in to_beat.items()
    ]
    if champion is not None:
        comparisons.append(_compare("champion", own, log_losses(churned, champion), rng))
    return Verdict(tuple(comparisons))


def _compare(name: str, own: FloatArray, other: FloatArray, rng: np.random.Generator) -> Comparison:
    difference = own - other
    low, high = _bootstrap_interval(difference, rng)
    passed = low <= NEGLIGIBLE if name == "champion" else difference.mean() < 0
    return Comparison(
        other=name,
        challenger_loss=float(own.mean()),
        other_loss=float(other.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        passed=bool(passed),
    )


def _bootstrap_interval(difference: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """5th and 95th percentile of the mean over customers drawn with replacement."""
    n = len(difference)
    means = [
        difference[rng.integers(0, n, size=(BLOCK, n))].mean(axis=1)
        for _ in range(REPLICATES // BLOCK)
    ]
    low, high = np.quantile(np.concatenate(means), [0.05, 0.95])
    return float(low), float(high)


def _sentence(comparison: Comparison) -> str:
    return (
        f"{'passed' if comparison.passed else 'FAILED'}: log loss "
        f"{comparison.challenger_loss:.4f}, {comparison.other} {comparison.other_loss:.4f}, "
        f"difference {comparison.difference:+.4f} "
        f"(90 % interval {comparison.low:+.4f} to {comparison.high:+.4f})"
    )
