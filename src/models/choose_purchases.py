"""Which model of purchases foresees best: candidates judged by the counts that came."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from patronage.errors import DataError
from patronage.features import DayTable
from patronage.models.arguments import check_count, check_day
from patronage.models.backtest import holdout_table
from patronage.models.betageo import BetaGeoModel
from patronage.models.betageo_cnbd import BetaGeoCNBDModel
from patronage.models.holdout_likelihood import holdout_log_likelihood
from patronage.models.model_forecast import PURCHASES
from patronage.models.modified_betageo import ModifiedBetaGeoModel
from patronage.models.modified_betageo_cnbd import ModifiedBetaGeoCNBDModel
from patronage.models.paretonbd import ParetoNBDModel
from patronage.models.purchase_model import PurchaseModel
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.season_trial import SeasonTrial, season_trial
from patronage.models.seasonal_model import SeasonalModel

log = logging.getLogger(__name__)

CANDIDATES: tuple[PurchaseModel, ...] = (
    BetaGeoModel(),
    ModifiedBetaGeoModel(),
    ParetoNBDModel(),
    BetaGeoCNBDModel(),
    ModifiedBetaGeoCNBDModel(),
)
"""Models of purchases at any time, the simplest first, which wins a tie; not fitted."""
TIE = 3
"""Log-likelihoods that agree to so many decimals are equal, as k = 1 and no k are."""


@dataclass(frozen=True)
class Judged:
    """A candidate and what it foresaw; the numbers are None where it could not be fitted."""

    model: str
    k: int | None = None
    """How regular purchases are, to a model that tells."""
    log_likelihood: float | None = None
    """Of the counts that came, summed over customers."""
    expected: float | None = None
    """Purchases of all customers."""
    converged: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PurchaseChoice:
    """The candidates' answers to one question, and the one chosen.

    Attributes
    ----------
    model
        The winner, not fitted; k is the one found, so that all further fits are of one model.
    as_of, horizon_days
        Candidates knew what was before `as_of`; they were judged by the purchases of so many days.
    customers, actual
        How many had bought before, and how often they bought in those days.
    candidates
        The best first.
    season
        The winner with a season beside itself without one; None where none was asked for.
    """

    model: PurchaseModel
    as_of: date
    horizon_days: int
    customers: int
    actual: int
    candidates: tuple[Judged, ...]
    season: SeasonTrial | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        season = None if self.season is None else self.season.to_dict()
        plain = self.model.purchases if isinstance(self.model, SeasonalModel) else self.model
        return {
            "chosen": type(plain).__name__,
            "season": season,
            "as_of": str(self.as_of),
            "horizon_days": self.horizon_days,
            "customers": self.customers,
            "actual": self.actual,
            "models": [asdict(candidate) for candidate in self.candidates],
        }


def choose_purchases(
    days: DayTable,
    *,
    cutoff: date,
    horizon_days: int,
    candidates: Sequence[PurchaseModel] = CANDIDATES,
    season: PurchaseSeason | None = None,
) -> PurchaseChoice:
    """Choose the model that gave the counts in [cutoff, cutoff + horizon) the highest likelihood.

    Each is fitted on what was known at the cutoff. One whose fit did not converge is passed over
    where another's did. The winner is then tried with a season, over windows of a year
    (`season_trial`): which season the last window fell in is chance.

    Parameters
    ----------
    days
        Customer days that reach to the end of the horizon.
    cutoff, horizon_days
        The question.
    candidates
        Unfitted models; the first wins a tie, and is taken where none can be fitted.
    season
        To try the winner with; None for none. A `SeasonalModel` is the model chosen where it
        gains more than chance does.

    Raises
    ------
    DataError
        If the data end before the horizon does, or nobody bought before the cutoff.
    SettingsError
        If the cutoff is no day, or the horizon less than one.
    """
    cutoff = check_day("cutoff", cutoff)
    horizon_days = check_count("horizon_days", horizon_days, least=1)
    known = holdout_table(days, cutoff, horizon_days)
    judged = [_judge(model, known, horizon_days) for model in candidates]
    order = sorted(range(len(judged)), key=lambda place: _rank(judged[place]))
    if not judged[order[0]].converged:
        log.warning("no model of purchases converged as of %s: %s", cutoff, judged[order[0]].note)
    winner, k = clone(candidates[order[0]]), judged[order[0]].k
    winner = winner if k is None else winner.set_params(k=k)
    trial = None
    if season is not None and judged[order[0]].log_likelihood is not None:
        trial = season_trial(winner, season, days, cutoff=cutoff, horizon_days=horizon_days)
    return PurchaseChoice(
        model=SeasonalModel(winner, season) if trial is not None and trial.taken else winner,
        as_of=cutoff,
        horizon_days=horizon_days,
        customers=len(known),
        actual=int(known[PURCHASES].sum()),
        candidates=tuple(judged[place] for place in order),
        season=trial,
    )


def _judge(model: PurchaseModel, known: pd.DataFrame, horizon: int) -> Judged:
    name = type(model).__name__
    try:
        fitted = clone(model).fit(known)
    except DataError as error:
        return Judged(name, note=str(error))
    likely = holdout_log_likelihood(fitted, known, horizon, known[PURCHASES].to_numpy())
    expected = float(fitted.expected_purchases(known, horizon).sum())
    total = float(np.sum(likely))
    k = getattr(fitted, "k_", None)
    return Judged(name, k, total, expected, fitted.converged_, fitted.diagnosis_)


def _rank(judged: Judged) -> tuple[bool, float]:
    """Converged before not, likely before unlikely; one that was not fitted is last."""
    likely = -np.inf if judged.log_likelihood is None else round(judged.log_likelihood, TIE)
    return not judged.converged, -likely
