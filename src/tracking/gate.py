"""The gate: whether a challenger may become champion, judged on rows nobody has trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.evaluation import log_losses, ranking_metrics

FloatArray = NDArray[np.float64]
REPLICATES = 2000
NEGLIGIBLE = 0.001  # nats of log loss: a difference that nobody would notice
BLOCK = 100  # replicates drawn at a time: bounds memory at BLOCK x customers


@dataclass(frozen=True)
class Comparison:
    """The challenger's log loss and AUC beside another score's on the same customers.

    `difference` is challenger minus other in log loss (negative: the challenger is better), `low`
    and `high` its 90 % interval by paired bootstrap over customers.
    """

    other: str
    challenger_loss: float
    other_loss: float
    difference: float
    low: float
    high: float
    challenger_auc: float
    other_auc: float
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
        Probabilities to beat: the challenger's mean log loss must lie below theirs, or else not
        above it beyond chance while its AUC is higher or the difference is `NEGLIGIBLE`. One
        cutoff's log loss hangs on the level of churn in that season, which no score can foresee;
        who leaves first does not. And where customers behave just as the value model says, nothing
        can do better than tie with it.
    champion
        The champion's probabilities: the challenger may not be worse beyond chance, that is, the
        90 % interval of the difference may not lie wholly above `NEGLIGIBLE`.
    """
    rng = np.random.default_rng(seed)
    comparisons = [
        _beats(_compare(name, churned, challenger, other, rng)) for name, other in to_beat.items()
    ]
    if champion is not None:
        compared = _compare("champion", churned, challenger, champion, rng)
        comparisons.append(replace(compared, passed=compared.low <= NEGLIGIBLE))
    return Verdict(tuple(comparisons))


def _beats(compared: Comparison) -> Comparison:
    lower = compared.difference < 0
    ranks_better = compared.challenger_auc > compared.other_auc
    ties = compared.difference <= NEGLIGIBLE
    return replace(compared, passed=lower or (compared.low <= 0 and (ranks_better or ties)))


def _compare(
    name: str,
    churned: pd.Series,
    challenger: pd.Series,
    other: pd.Series,
    rng: np.random.Generator,
) -> Comparison:
    own_losses, other_losses = log_losses(churned, challenger), log_losses(churned, other)
    difference = own_losses - other_losses
    low, high = _bootstrap_interval(difference, rng)
    return Comparison(
        other=name,
        challenger_loss=float(own_losses.mean()),
        other_loss=float(other_losses.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        challenger_auc=ranking_metrics(churned, challenger)["auc"],
        other_auc=ranking_metrics(churned, other)["auc"],
        passed=False,
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
        f"(90 % interval {comparison.low:+.4f} to {comparison.high:+.4f}); "
        f"AUC {comparison.challenger_auc:.4f}, {comparison.other_auc:.4f}"
    )
