"""The gate: whether a challenger may become champion, judged on rows nobody has trained on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from patronage.config import Action
from patronage.models.evaluation import log_losses, ranking_metrics
from patronage.models.snapshot_evaluation import BASE_RATE
from patronage.retention.campaign_cuts import campaign_outcome
from patronage.tracking.calibration_check import SLOPES, CalibrationCheck, check_calibration
from patronage.tracking.gate_checks import Comparison, NetValueComparison
from patronage.tracking.paired_bootstrap import FloatArray, bootstrap_intervals

NOBODY = "none"  # in the tag, where no version was champion
CHAMPION, CHALLENGER = "champion", "challenger"
NEGLIGIBLE = 0.001  # nats of log loss: a difference that nobody would notice
NEGLIGIBLE_SHARE = 0.01  # of the other's net value


@dataclass(frozen=True)
class Verdict:
    """All comparisons of one challenger and its slope; it passes when each is passed.

    `champion_in_force` is the version that was champion when the verdict was given, None where
    there was none. It may be missing among the comparisons all the same, if it answers another
    question or has seen the answers.
    """

    comparisons: tuple[Comparison, ...]
    net_values: tuple[NetValueComparison, ...] = ()
    calibration: CalibrationCheck | None = None
    champion_in_force: str | None = None
    rows: int = 0

    @property
    def checks(self) -> tuple[Comparison | NetValueComparison | CalibrationCheck, ...]:
        """All that has to be passed."""
        line = () if self.calibration is None else (self.calibration,)
        return (*self.comparisons, *self.net_values, *line)

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "passed": self.passed,
            "rows": self.rows,
            "champion_in_force": self.champion_in_force,
            "comparisons": [asdict(one) for one in self.comparisons],
            "net_values": [asdict(one) for one in self.net_values],
            "calibration": None if self.calibration is None else asdict(self.calibration),
        }

    def tags(self) -> dict[str, str]:
        """Every number as a text, by the name it has among a model version's tags."""
        return dict(self._tags())

    def _tags(self) -> Iterator[tuple[str, str]]:
        yield "gate", "passed" if self.passed else "failed"
        yield "gate.rows", str(self.rows)
        yield "gate.champion_in_force", self.champion_in_force or NOBODY
        yield "gate.verdict", str(self)
        for loss in self.comparisons:
            yield f"gate.{loss.other}", f"{loss.difference:+.6f}"
            yield from _numbers(f"gate.{loss.other}.log_loss", asdict(loss))
        for money in self.net_values:
            yield from _numbers(f"gate.{money.other}.net_value", asdict(money))
        if self.calibration is not None:
            yield from _numbers("gate.calibration", asdict(self.calibration))

    def __str__(self) -> str:
        """One line for each check."""
        return "\n".join(map(str, self.checks))


@dataclass(frozen=True)
class Money:
    """What the scores' decisions are judged by in money.

    Attributes
    ----------
    value_if_kept
        Of each test customer as of the test cutoff, on the index of the label.
    actions
        What can be done, with its costs.
    """

    value_if_kept: pd.Series
    actions: Sequence[Action]

    def net_value(self, p_churn: pd.Series, churned: pd.Series) -> FloatArray:
        """What each customer would have brought had `p_churn` chosen whom to contact."""
        p, label, value = (
            one.to_numpy(dtype=float) for one in (p_churn, churned, self.value_if_kept)
        )
        return campaign_outcome(p, label, value, self.actions).by_threshold


def judge(
    churned: pd.Series,
    challenger: pd.Series,
    *,
    to_beat: Mapping[str, pd.Series],
    champion: pd.Series | None = None,
    champion_in_force: str | None = None,
    money: Money | None = None,
    slopes: tuple[float, float] = SLOPES,
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
        can do better than tie with it. The share that churned, `BASE_RATE`, knows no customer from
        another: it has to be beaten beyond chance, or else half of all noise would pass.
    champion
        The champion's probabilities: the challenger may not be worse beyond chance, that is, the
        90 % interval of the difference may not lie wholly above `NEGLIGIBLE`.
    champion_in_force
        The champion's version, also where it is not compared.
    money
        The challenger's contacts may not bring less than those of any other score beyond chance:
        the 90 % interval may not lie wholly below minus `NEGLIGIBLE_SHARE` of what the other's
        bring. Net value hangs on few valuable customers: to ask for more at one cutoff would be to
        toss a coin. Without it, only probabilities are judged.
    slopes
        The calibration slope may not lie outside this range beyond chance.
    """
    others = dict(to_beat) if champion is None else {**to_beat, CHAMPION: champion}
    own = _Judged(CHALLENGER, churned, challenger, money)
    compared = [_Judged(name, churned, other, money) for name, other in others.items()]
    losses = [own.losses - other.losses for other in compared]
    brought = [] if money is None else [own.net_value - other.net_value for other in compared]
    intervals = bootstrap_intervals([*losses, *brought], seed=seed)
    in_money = zip(compared if brought else [], intervals[len(losses) :], strict=True)
    return Verdict(
        tuple(
            _loss_check(own, other, *interval)
            for other, interval in zip(compared, intervals[: len(losses)], strict=True)
        ),
        tuple(_money_check(own, other, *interval) for other, interval in in_money),
        check_calibration(churned, challenger, slopes),
        champion_in_force,
        len(churned),
    )


class _Judged:
    """One score on the test customers."""

    def __init__(self, name: str, churned: pd.Series, p: pd.Series, money: Money | None) -> None:
        self.name = name
        self.losses = log_losses(churned, p)
        self.auc = ranking_metrics(churned, p)["auc"]
        self.net_value = np.zeros(0) if money is None else money.net_value(p, churned)


def _loss_check(own: _Judged, other: _Judged, low: float, high: float) -> Comparison:
    difference = float((own.losses - other.losses).mean())
    if other.name == CHAMPION:
        passed = low <= NEGLIGIBLE
    elif other.name == BASE_RATE:
        passed = high < 0
    else:
        tied = other.auc < own.auc or difference <= NEGLIGIBLE
        passed = difference < 0 or (low <= 0 and tied)
    return Comparison(
        other=other.name,
        challenger_loss=float(own.losses.mean()),
        other_loss=float(other.losses.mean()),
        difference=difference,
        low=low,
        high=high,
        challenger_auc=own.auc,
        other_auc=other.auc,
        passed=passed,
    )


def _money_check(own: _Judged, other: _Judged, low: float, high: float) -> NetValueComparison:
    brought = float(other.net_value.mean())
    return NetValueComparison(
        other=other.name,
        challenger_net_value=float(own.net_value.mean()),
        other_net_value=brought,
        difference=float((own.net_value - other.net_value).mean()),
        low=low,
        high=high,
        passed=high >= -NEGLIGIBLE_SHARE * abs(brought),
    )


def _numbers(prefix: str, check: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in check.items():
        if name != "other":
            yield f"{prefix}.{name}", f"{value:.6f}" if isinstance(value, float) else str(value)
