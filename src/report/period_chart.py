"""Whether a model makes as many one-time buyers, and as many heavy ones, as there were."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from patronage.models import PurchaseModel
from patronage.report.chart_style import ACCENT, MUTED, WARM, new_figure, style_axes

_AGES = 200


def period_transactions(
    model: PurchaseModel, rfm: pd.DataFrame, *, max_frequency: int = 7
) -> pd.DataFrame:
    """Customers by repeat purchases in their history: as they were, and as the model expects.

    The expectation is exact, not simulated: the sum over customers of the probability that
    somebody observed as long makes so many. Where there are more than 200 different T, it is
    taken at 200 of them.

    Parameters
    ----------
    model
        Fitted.
    rfm
        What it was fitted on, or customers like them: `frequency` and `T`.
    max_frequency
        The last row holds so many and more.

    Returns
    -------
    DataFrame
        Index 0 to `max_frequency`; `actual` and `expected` customers.
    """
    capped = np.minimum(rfm["frequency"].to_numpy(np.int64), max_frequency)
    actual = np.bincount(capped, minlength=max_frequency + 1)
    expected = np.zeros(max_frequency + 1)
    ages = _ages(rfm["T"].to_numpy(float))
    for age, n in zip(ages.index.to_numpy(float), ages, strict=True):
        pmf = model.purchase_count_pmf_new_customer(age, max_frequency - 1).to_numpy()
        expected += n * np.append(pmf, max(1 - pmf.sum(), 0.0))
    index = pd.RangeIndex(max_frequency + 1, name="frequency")
    return pd.DataFrame({"actual": actual, "expected": expected}, index=index)


def period_transactions_chart(
    model: PurchaseModel, rfm: pd.DataFrame, *, max_frequency: int = 7
) -> Figure:
    """Bars of `period_transactions`, which see."""
    table = period_transactions(model, rfm, max_frequency=max_frequency)
    figure = new_figure()
    axes = figure.subplots()
    for shift, name, colour in ((-0.2, "actual", ACCENT), (0.2, "expected", WARM)):
        axes.bar(table.index + shift, table[name], width=0.38, color=colour, label=name)
    axes.set_xticks(table.index, [*map(str, table.index[:-1]), f"{max_frequency}+"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    axes.legend(frameon=False, labelcolor=MUTED)
    style_axes(axes, title="Repeat purchases per customer", x="repeat purchases", y="customers")
    return figure


def _ages(T: np.ndarray) -> "pd.Series[int]":
    """How many customers were observed for each length of time, in at most 200 steps."""
    ages = pd.Series(T)
    if ages.nunique() > _AGES:
        edges = np.linspace(0, T.max(), _AGES + 1)
        step = np.clip(np.searchsorted(edges, T) - 1, 0, _AGES - 1)
        ages = ages.groupby(step).transform("mean")
    return ages.value_counts()
