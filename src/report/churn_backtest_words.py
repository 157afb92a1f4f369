"""What a backtest of churn found, in plain words and as tables for a terminal."""

import pandas as pd

from patronage.models.churn_backtest_result import ChurnBacktest
from patronage.models.churn_evaluation import OURS
from patronage.report.quality import SCORE_NAMES

COLUMNS = {
    "auc": "AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "average_precision": "avg precision",
    "top_decile_lift": "lift, top tenth",
    "calibration_slope": "cal. slope",
    "calibration_intercept": "cal. intercept",
    "level_error": "level error",
}
AHEAD, DIFFERENCE = "we are ahead at", "log loss, ours less theirs (90 %)"


def in_plain_words(backtest: ChurnBacktest) -> str:
    """Who foresaw best and by how much, and whether level and intervals held."""
    return " ".join([_foreseen(backtest), _level(backtest), _held(backtest), *_skipped(backtest)])


def models_text(backtest: ChurnBacktest) -> str:
    """Mean metrics of each model, and how far ours is ahead of it, as text."""
    return models_table(backtest).to_string(justify="right")


def models_table(backtest: ChurnBacktest) -> pd.DataFrame:
    """One row of texts per model, the least log loss first."""
    means = backtest.means
    table = means[list(COLUMNS)].map(_shown).rename(columns=COLUMNS)
    known = means["log_loss"].notna()
    rows = {
        name: _ahead(backtest, str(name)) if known[name] and name != OURS else ("", "")
        for name in means.index
    }
    table[AHEAD] = [rows[name][0] for name in means.index]
    table[DIFFERENCE] = [rows[name][1] for name in means.index]
    return table.rename(index=SCORE_NAMES).rename_axis(index=None)


def cutoffs_text(backtest: ChurnBacktest) -> str:
    """One line per test cutoff, as text."""
    return cutoffs_table(backtest).to_string(index=False)


def cutoffs_table(backtest: ChurnBacktest) -> pd.DataFrame:
    """One row of texts per test cutoff: how many left, our figures, and the best rival's loss."""
    best = best_rival(backtest)
    ours = [one.metrics[OURS] for one in backtest.cutoffs]
    rival = [one.metrics[best] for one in backtest.cutoffs]
    held = [one.tenths["held"] for one in backtest.cutoffs]
    columns = {
        "cutoff": [str(one.cutoff) for one in backtest.cutoffs],
        "customers": [f"{len(one.scores):,}" for one in backtest.cutoffs],
        "left": [f"{one.churn_rate:.1%}" for one in backtest.cutoffs],
        "said to leave": [_share(one["mean_predicted"]) for one in ours],
        "AUC": [_shown(one["auc"]) for one in ours],
        "log loss": [_shown(one["log_loss"]) for one in ours],
        f"of {SCORE_NAMES.get(best, best)}": [_shown(one["log_loss"]) for one in rival],
        "tenths held": [f"{int(one.sum())} of {len(one)}" for one in held],
    }
    return pd.DataFrame(columns)


def best_rival(backtest: ChurnBacktest) -> str:
    """The rival with the least mean log loss."""
    return backtest.rivals[0]


def _foreseen(backtest: ChurnBacktest) -> str:
    days, best = [one.cutoff for one in backtest.cutoffs], best_rival(backtest)
    n, ahead = len(days), backtest.ahead(best)
    means = backtest.means["log_loss"]
    difference, low, high = backtest.difference(best)
    over = f"Over {n} cutoffs, {days[0]} to {days[-1]}," if n > 1 else f"As of {days[0]}"
    side = "better" if difference < 0 else "worse"
    beyond = "more than" if low > 0 or high < 0 else "no more than"
    return (
        f"{over} the model's log loss was {means[OURS]:.3f}, that of the best baseline, "
        f"{SCORE_NAMES.get(best, best)}, {means[best]:.3f}; the model was ahead at {ahead} of {n}. "
        f"In the mean it is {abs(difference):.4f} {side}, {beyond} chance gives (90 % interval "
        f"{low:+.4f} to {high:+.4f}, customers drawn anew)."
    )


def _level(backtest: ChurnBacktest) -> str:
    errors = [
        (one.metrics[OURS]["mean_predicted"] or 0.0) - one.churn_rate for one in backtest.cutoffs
    ]
    worst = max(range(len(errors)), key=lambda place: abs(errors[place]))
    near = sum(abs(error) <= 0.05 for error in errors)
    return (
        f"The share said to leave lay within 5 points of the share who left at {near} of "
        f"{len(errors)}; farthest off at {backtest.cutoffs[worst].cutoff}, by "
        f"{errors[worst] * 100:+.1f} points."
    )


def _held(backtest: ChurnBacktest) -> str:
    held, tenths = backtest.held
    return (
        f"Of {tenths} tenths of the customers, {held} left at a rate within p_churn_low and "
        f"p_churn_high ({held / tenths:.0%}; 90 % is meant)."
    )


def _skipped(backtest: ChurnBacktest) -> list[str]:
    return [f"{day} is left out: {reason}" for day, reason in sorted(backtest.left_out.items())]


def _ahead(backtest: ChurnBacktest, rival: str) -> tuple[str, str]:
    difference, low, high = backtest.difference(rival)
    return (
        f"{backtest.ahead(rival)} of {len(backtest.cutoffs)}",
        f"{difference:+.4f} ({low:+.4f} to {high:+.4f})",
    )


def _shown(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
