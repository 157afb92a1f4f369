"""Two registered versions compared after the fact, by the scores that their trainings kept."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from patronage.config import Action
from patronage.models.churn_evaluation import BASE_RATE, OURS, RULE
from patronage.models.snapshot_evaluation import REGRESSION
from patronage.tracking.gate import Money, Verdict, judge
from patronage.tracking.store import Store
from patronage.tracking.training_run import VALUE, Judged, judgement_of

BASELINES = ("p_no_purchase", RULE)
OF_SNAPSHOTS = (BASE_RATE, REGRESSION)


def baselines(scores: pd.DataFrame) -> dict[str, pd.Series]:
    """What a version has to beat: of a log, of contracts or of a snapshot, by the scores it kept.

    Parameters
    ----------
    scores
        Of the test customers, a column for each score.
    """
    of_contracts = (BASE_RATE,) if BASE_RATE in scores else ()
    names = (*BASELINES, *of_contracts) if BASELINES[0] in scores else OF_SNAPSHOTS
    return {name: scores[name] for name in names}


def compared_anew(
    store: Store,
    version: Any,
    champion: Any,
    actions: Sequence[Action],
    slopes: tuple[float, float],
) -> Verdict | None:
    """The verdict on a version against a champion that came after it was judged.

    Each training kept what its model said of its test customers, whose labels it had not seen.

    Parameters
    ----------
    version, champion
        MLflow's model versions.
    actions, slopes
        As for `judge`.

    Returns
    -------
    Verdict or None
        None unless both were judged as of the same day, on the same customers with the same labels.
    """
    own, other = judgement_of(store, version.run_id), judgement_of(store, champion.run_id)
    theirs = _scores_of_the_same(own, other)
    if theirs is None:
        return None
    scores = own.scores
    money = Money(scores[VALUE], actions) if VALUE in scores and actions else None
    return judge(
        scores["churned"],
        scores[OURS],
        to_beat=baselines(scores),
        champion=theirs,
        champion_in_force=str(champion.version),
        money=money,
        slopes=slopes,
    )


def _scores_of_the_same(own: Judged, other: Judged) -> pd.Series | None:
    """The other's scores on the rows of our own; None if the customers or labels differ."""
    if own.metrics["test"].get("as_of") != other.metrics["test"].get("as_of"):
        return None
    theirs = other.scores.set_index("customer_id").reindex(own.scores["customer_id"])
    same = len(own.scores) == len(other.scores)
    if not same or (theirs["churned"].to_numpy() != own.scores["churned"].to_numpy()).any():
        return None
    return pd.Series(theirs[OURS].to_numpy(), index=own.scores.index)
