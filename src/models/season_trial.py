"""Whether a season helps: a model with it beside itself without, over windows of the past year."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.features import DayTable
from patronage.features.arrays import calendar_day, day_number
from patronage.models.backtest import holdout_table
from patronage.models.holdout_likelihood import holdout_log_likelihood
from patronage.models.model_forecast import PURCHASES
from patronage.models.purchase_model import PurchaseModel
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.rfm_input import FloatArray
from patronage.models.season_calendar import MONTHS, month_of
from patronage.models.seasonal_model import LEAST_HISTORY, SeasonalModel

YEAR, MONTH = 365, 30
BEYOND_CHANCE = 2.0
"""Standard errors by which a season must be ahead."""


@dataclass(frozen=True)
class Window:
    """What both foresaw of one window, each fitted on what was known before it."""

    as_of: str
    actual: int
    plain: float
    """Expected purchases of all customers, without a season ..."""
    seasonal: float
    """... and with one."""
    gain: float
    """Log-likelihood of the counts that came, with a season less without."""


@dataclass(frozen=True, kw_only=True)
class SeasonTrial:
    """Windows, the newest first, what the season gains in all, and whether it is taken."""

    windows: tuple[Window, ...] = ()
    gain: float = 0.0
    chance: float = 0.0
    """What chance may give: two standard errors of the gain."""
    months: tuple[float, ...] = ()
    """Mean factor of each month, as known at the newest window; January first."""
    counted: tuple[float, ...] = ()
    """`repeats_by_month` of the same days; empty without a whole year."""
    note: str = ""

    @property
    def taken(self) -> bool:
        """Whether it gains more than chance may give."""
        return bool(self.windows) and self.gain > self.chance

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"taken": self.taken}


def season_trial(
    model: PurchaseModel,
    season: PurchaseSeason,
    days: DayTable,
    *,
    cutoff: date,
    horizon_days: int,
) -> SeasonTrial:
    """Fit with and without the season at earlier cutoffs, and judge by what came.

    The newest window begins at the cutoff, the others a month or so apart before it, as many as fit
    into a year and have a year of data before them: so that no month decides alone. Windows that
    overlap tell the same in part, which widens what chance may give.

    Parameters
    ----------
    model, season
        Unfitted.
    days
        Customer days that reach to the end of the newest window.
    cutoff, horizon_days
        Of the newest window.
    """
    cutoffs = _cutoffs(days, cutoff, horizon_days, season)
    if not cutoffs:
        return SeasonTrial(
            note=f"No season was tried: the data begin on {calendar_day(days.first_day)}, less "
            f"than a year ({LEAST_HISTORY} days) before {cutoff}."
        )
    try:
        found = [_window(model, season, days, day, horizon_days) for day in cutoffs]
    except (DataError, SettingsError) as error:
        return SeasonTrial(note=f"No season was tried: {error}")
    gains = np.concatenate([each[1] for each in found])
    overlap = min(horizon_days / _step(horizon_days), len(found))
    return SeasonTrial(
        windows=tuple(each[0] for each in found),
        gain=float(gains.sum()),
        chance=float(BEYOND_CHANCE * np.sqrt(overlap * np.sum((gains - gains.mean()) ** 2))),
        months=found[0][2].season_.by_month(),
        counted=repeats_by_month(days, cutoff),
        note=found[0][2].diagnosis_,
    )


def repeats_by_month(days: DayTable, cutoff: date) -> tuple[float, ...]:
    """Repeat purchase days per calendar day of each month, January first; 1 is the mean.

    Of the last whole years before the cutoff, so that every month is there equally often. They are
    counts of all customers, and the growth of the customer base is in them. Empty where there is no
    whole year, or nobody bought again.
    """
    end = day_number(cutoff)
    years = (end - days.first_day) // YEAR
    is_repeat = days.measures["purchase_days"] > 0
    is_repeat[days.offsets[:-1]] = False
    start = end - years * YEAR
    bought = days.day[is_repeat & (days.day >= start) & (days.day < end)].astype(np.int64)
    if not bought.size:
        return ()
    seen = np.bincount(month_of(bought), minlength=MONTHS)
    length = np.bincount(month_of(np.arange(start, end)), minlength=MONTHS)
    return tuple((seen / length * (end - start) / bought.size).tolist())


def _cutoffs(days: DayTable, cutoff: date, horizon_days: int, season: PurchaseSeason) -> list[date]:
    least = LEAST_HISTORY if season.terms().harmonics else 1
    first = calendar_day(days.first_day) + timedelta(days=least)
    step = _step(horizon_days)
    found = [cutoff - timedelta(days=place * step) for place in range(max(YEAR // step, 1))]
    return [day for day in found if day >= first]


def _step(horizon_days: int) -> int:
    """Days from window to window."""
    return max(horizon_days // 3, min(horizon_days, MONTH))


def _window(
    model: PurchaseModel, season: PurchaseSeason, days: DayTable, day: date, horizon: int
) -> tuple[Window, FloatArray, SeasonalModel]:
    known = holdout_table(days, day, horizon)
    counts = known[PURCHASES].to_numpy()
    plain = clone(model).fit(known)
    seasonal = SeasonalModel(clone(model), season).fit_days(days, as_of=day)
    likely = [holdout_log_likelihood(m, known, horizon, counts) for m in (plain, seasonal)]
    before, after = (float(m.expected_purchases(known, horizon).sum()) for m in (plain, seasonal))
    gains = likely[1] - likely[0]
    window = Window(str(day), int(counts.sum()), before, after, float(gains.sum()))
    return window, gains, seasonal
