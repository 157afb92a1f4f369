"""What of all that is watched calls for somebody: effects that are both large and no chance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from patronage.config import MonitorSection
from patronage.retention.wording import counted
from patronage.tracking.drift import Drift
from patronage.tracking.realised import Realised
from patronage.tracking.save_rate import ListOutcome
from patronage.tracking.volume import Period, RunVolume, change_of_purchases

Kind = Literal["scores", "features", "nulls", "categories", "volume", "realised", "save rate"]
NAMED = 5
LOST = 0.01
"""A share of the transactions that one run had and a later one no longer finds."""


@dataclass(frozen=True)
class Alarm:
    """One thing to look into; `names` are the columns that it is about."""

    kind: Kind
    text: str
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def drift_alarms(
    scores: Drift, features: Sequence[Drift], limits: MonitorSection, *, customers: int
) -> Iterator[Alarm]:
    """Of scores, features, nulls and unseen categories; none with too few eligible customers."""
    if customers < limits.min_customers:
        return
    if drifted(scores, limits):
        yield Alarm("scores", f"the scores have drifted: {_moved(scores)}", ("p_churn",))
    moved = [one for one in features if matters(one, limits) and drifted(one, limits)]
    if moved:
        head = f"{counted(len(moved), 'feature')} that the model leans on drifted"
        yield Alarm("features", f"{head}: {_listed(moved, _moved)}", _names(moved))
    empty = [one for one in features if emptied(one, limits)]
    if empty:
        head = f"{counted(len(empty), 'feature')} with another share of nulls"
        yield Alarm("nulls", f"{head}: {_listed(empty, _emptied)}", _names(empty))
    unseen = [
        one
        for one in features
        if one.unseen_share > 0 and one.unseen_share >= limits.max_unseen_share
    ]
    if unseen:
        head = f"{counted(len(unseen), 'feature')} with categories that training did not hold"
        yield Alarm("categories", f"{head}: {_listed(unseen, _met)}", _names(unseen))


def drifted(one: Drift, limits: MonitorSection) -> bool:
    """Whether a column moved far, further than between training cutoffs, and not by chance.

    A column that moved with time all through training and goes on as it did has not drifted.
    """
    far = one.psi >= limits.psi and one.psi > one.usual_psi
    return far and one.p_adjusted < limits.significance and not one.on_course


def emptied(one: Drift, limits: MonitorSection) -> bool:
    """Whether a column's share of nulls left what training had, and not by chance."""
    far = one.null_change > 0 and one.null_change >= limits.max_null_change
    return far and one.null_p_adjusted < limits.significance and not one.null_on_course


def matters(one: Drift, limits: MonitorSection) -> bool:
    """Whether the scores lean on a feature."""
    return one.importance >= limits.min_importance


def volume_alarms(
    found: Sequence[Period],
    runs: Sequence[RunVolume],
    limits: MonitorSection,
    *,
    transactions: int,
) -> Iterator[Alarm]:
    """Of purchases in four weeks, of the last two days' eligible customers, and of lost rows.

    Parameters
    ----------
    found
        The last periods.
    runs
        In the order of their days.
    transactions
        Rows that today's data hold.
    """
    change = change_of_purchases(found)
    if change is not None and abs(change) > limits.max_volume_change:
        newest = found[-1]
        yield Alarm(
            "volume",
            f"{newest.purchase_days:,} purchases in the four weeks before {newest.end}, "
            f"{change:+.0%} against what is usual",
        )
    for before, after in pairwise(runs[-2:]):
        yield from _eligible_alarms(before, after, limits)
    for latest in sorted(runs, key=lambda run: run.run_id)[-1:]:
        yield from _lost_alarms(latest, transactions)


def realised_alarms(newest: Realised, limits: MonitorSection) -> Iterator[Alarm]:
    """Of the newest cutoff whose label is known: an older one has had its alarm."""
    if newest.n < limits.min_customers or newest.hindsight:
        return
    where = f"as of {newest.as_of} (model {newest.model_version}, {newest.n:,} customers)"
    outside = not newest.actual_low <= newest.predicted <= newest.actual_high
    if outside and abs(newest.gap) >= limits.max_calibration_gap:
        yield Alarm(
            "realised",
            f"{where}: {newest.predicted:.1%} were said to leave, {newest.actual:.1%} did "
            f"({newest.actual_low:.1%} to {newest.actual_high:.1%})",
        )
    excess = newest.log_loss_excess
    if excess >= limits.max_log_loss_excess and excess > 2 * newest.log_loss_excess_se:
        yield Alarm(
            "realised",
            f"{where}: log loss {newest.log_loss:.4f}, where the probabilities themselves promise "
            f"{newest.log_loss_foreseen:.4f}",
        )
    slope, low, high = newest.slope, newest.slope_low, newest.slope_high
    if slope is None or low is None or high is None or low <= 1 <= high:
        return
    if not limits.min_slope <= slope <= limits.max_slope:
        too = "bold" if slope < 1 else "timid"
        yield Alarm(
            "realised",
            f"{where}: calibration slope {slope:.2f} ({low:.2f} to {high:.2f}): the probabilities "
            f"are too {too}",
        )


def save_alarms(lists: Sequence[ListOutcome]) -> Iterator[Alarm]:
    """Of the newest list with both arms, where the treated left more often beyond chance."""
    known = [one for one in lists if one.difference is not None]
    for one in known[-1:]:
        if one.high is not None and one.high < 0:
            yield Alarm(
                "save rate",
                f"list {one.list_id}: {one.treated_stayed:,} of {one.treated:,} treated stayed, "
                f"{one.control_stayed:,} of {one.control:,} in the control group: contacting them "
                "seems to drive customers away",
            )


def _eligible_alarms(
    before: RunVolume, after: RunVolume, limits: MonitorSection
) -> Iterator[Alarm]:
    if before.eligible and after.eligible is not None:
        change = after.eligible / before.eligible - 1
        if abs(change) > limits.max_volume_change:
            yield Alarm(
                "volume",
                f"{after.eligible:,} eligible customers as of {after.as_of}, {change:+.0%} against "
                f"{before.as_of}",
            )


def _lost_alarms(latest: RunVolume, transactions: int) -> Iterator[Alarm]:
    if latest.transactions and transactions < (1 - LOST) * latest.transactions:
        yield Alarm(
            "volume",
            f"the data hold {transactions:,} transactions, {latest.transactions - transactions:,} "
            f"fewer than run {latest.run_id} found: rows were lost",
        )


def _names(found: Sequence[Drift]) -> tuple[str, ...]:
    return tuple(one.name for one in found)


def _listed(found: Sequence[Drift], say: Callable[[Drift], str]) -> str:
    """The first few in words."""
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    return "; ".join([*map(say, found[:NAMED]), *more])


def _moved(one: Drift) -> str:
    medians = ""
    if one.median_then is not None and one.median_now is not None:
        medians = f", median {one.median_then:,.4g} then, {one.median_now:,.4g} now"
    return f"{one.name} (PSI {one.psi:.2f}{medians})"


def _emptied(one: Drift) -> str:
    return f"{one.name} ({one.null_then:.0%} then, {one.null_now:.0%} now)"


def _met(one: Drift) -> str:
    return f"{one.name} ({one.unseen_share:.0%}: {', '.join(one.unseen)})"
