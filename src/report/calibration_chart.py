"""Whether customers leave as often as they were said to."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.report.chart_style import ACCENT, GREY, MUTED, new_figure, style_axes

BINS = 10
_Z = 1.959963984540054  # two-sided 95 %


def wilson_interval(hits: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """95 % interval of each share ``hits / n`` [1]_; it stays within 0 to 1.

    References
    ----------
    .. [1] Wilson (1927), Probable inference, the law of succession, and statistical inference,
       Journal of the American Statistical Association 22(158).
    """
    share, z2 = hits / n, _Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return (centre - half).clip(lower=0), (centre + half).clip(upper=1)


def calibration_bins(p_churn: pd.Series, churned: pd.Series, bins: int = BINS) -> pd.DataFrame:
    """Groups of equally many customers, by predicted probability, lowest first.

    Returns
    -------
    DataFrame
        `predicted` (mean), `observed` (share who left), `low` and `high` (95 % interval of it)
        and `n`; fewer rows than `bins` where there are fewer customers.
    """
    frame = pd.DataFrame({"p": p_churn.to_numpy(float), "left": churned.to_numpy(float)})
    position = frame["p"].rank(method="first") - 1
    group = (position * bins // max(len(frame), 1)).astype(int)
    by_group = frame.groupby(group)
    n, hits = by_group.size(), by_group["left"].sum()
    low, high = wilson_interval(hits, n)
    table = {"predicted": by_group["p"].mean(), "observed": hits / n, "low": low, "high": high}
    return pd.DataFrame({**table, "n": n}).reset_index(drop=True)


def calibration_chart(p_churn: pd.Series, churned: pd.Series) -> Figure:
    """Share who left against the predicted chance to leave, over its histogram.

    Parameters
    ----------
    p_churn
        Predicted probabilities.
    churned
        1 for each of the same customers who left, else 0.
    """
    table = calibration_bins(p_churn, churned)
    figure = new_figure(7.2, 5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    top.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="as predicted")
    errors = [table["observed"] - table["low"], table["high"] - table["observed"]]
    top.errorbar(
        table["predicted"],
        table["observed"],
        yerr=np.clip(errors, 0, None),
        fmt="o-",
        color=ACCENT,
        capsize=3,
        linewidth=1.4,
        label="tenths of the customers, with 95% interval",
    )
    top.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    style_axes(top, title="Predicted and actual churn", x="", y="share who left")
    bottom.hist(p_churn, bins=np.linspace(0, 1, 41).tolist(), color=ACCENT, alpha=0.6)
    style_axes(bottom, title="", x="predicted chance to leave", y="customers")
    top.set_ylim(0, 1)
    bottom.set_xlim(0, 1)
    for axis in (top.yaxis, bottom.xaxis):
        axis.set_major_formatter(PercentFormatter(1))
    return figure
