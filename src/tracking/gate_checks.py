"""A challenger beside one other score: in log loss, and in money."""

from dataclasses import dataclass


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

    def __str__(self) -> str:
        """One line."""
        word = "passed" if self.passed else "FAILED"
        return (
            f"{word}: log loss {self.challenger_loss:.4f}, {self.other} "
            f"{self.other_loss:.4f}, difference {self.difference:+.4f} "
            f"(90 % interval {self.low:+.4f} to {self.high:+.4f}); "
            f"AUC {self.challenger_auc:.4f}, {self.other_auc:.4f}"
        )


@dataclass(frozen=True)
class NetValueComparison:
    """What contacting by the challenger would have brought, beside contacting by another score.

    In money per customer: everybody is contacted whose probability lies above their own threshold.
    `difference` is challenger minus other (positive: the challenger is better), `low` and `high`
    its 90 % interval over the same draws of customers as that of the log loss.
    """

    other: str
    challenger_net_value: float
    other_net_value: float
    difference: float
    low: float
    high: float
    passed: bool

    def __str__(self) -> str:
        """One line."""
        word = "passed" if self.passed else "FAILED"
        return (
            f"{word}: net value per customer {self.challenger_net_value:.4f}, "
            f"{self.other} {self.other_net_value:.4f}, difference {self.difference:+.4f} "
            f"(90 % interval {self.low:+.4f} to {self.high:+.4f})"
        )
