"""The page's charts, each with its alternative text and its reading."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from patronage.report import readings
from patronage.report.alive_chart import ProbabilityAlive, alive_chart
from patronage.report.calibration_chart import calibration_chart
from patronage.report.chart_style import svg
from patronage.report.gains_chart import gains_chart
from patronage.report.quality import SCORE_NAMES
from patronage.report.report_data import ReportData
from patronage.report.tracking_chart import tracking_chart
from patronage.report.value_chart import value_at_risk_chart

_GAINS_OF = ("patronage", "p_no_purchase", "recency", "logistic_regression")
_MOST_LINES = 3
_YEAR = 364.0  # days
_MAX_FREQUENCY = 12
_ONE_PANEL = 8.0  # inches


@dataclass(frozen=True)
class Picture:
    """A chart on the page.

    Attributes
    ----------
    uri
        The SVG as a data URI: as an image it can neither run a script nor load anything.
    alternative
        What it shows, for who cannot see it.
    reading
        What it says, in one sentence.
    wide
        Whether it holds two panels side by side.
    """

    uri: str
    alternative: str
    reading: str
    wide: bool


def pictures(data: ReportData) -> Iterator[Picture]:
    """The charts for which `data` holds something to show."""
    if data.customers["eligible"].any() and "value_at_risk" in data.customers:
        yield _value(data)
    if data.evaluation is not None and data.evaluation["churned"].nunique() > 1:
        yield _calibration(data.evaluation)
        yield _gains(data.evaluation)
    if data.tracking is not None and len(data.tracking):
        yield _tracking(data.tracking)
    if data.p_alive_matrix is not None:
        yield _alive(data.p_alive_matrix)


def picture(figure: Figure, alternative: str, reading: str) -> Picture:
    """A figure with its texts, ready for a page."""
    encoded = b64encode(svg(figure)).decode("ascii")
    uri, wide = f"data:image/svg+xml;base64,{encoded}", figure.get_figwidth() > _ONE_PANEL
    return Picture(uri, alternative, reading, wide)


def _value(data: ReportData) -> Picture:
    return picture(
        value_at_risk_chart(data.customers, currency=data.currency),
        "Bars: value at risk by tenth of the customers, from least to most likely to leave.",
        readings.value_reading(data.customers, currency=data.currency),
    )


def _gains(evaluation: pd.DataFrame) -> Picture:
    known = [name for name in _GAINS_OF if name in evaluation][:_MOST_LINES]
    labels = {name: SCORE_NAMES[name] for name in known}
    return picture(
        gains_chart(evaluation, labels),
        f"Lines: share of leavers reached, and lift, by share of customers contacted, for "
        f"{', '.join(labels.values())}.",
        f"{readings.gains_reading(evaluation)} {readings.lift_reading(evaluation)}",
    )


def _calibration(evaluation: pd.DataFrame) -> Picture:
    p_churn, churned = evaluation["patronage"], evaluation["churned"]
    return picture(
        calibration_chart(p_churn, churned),
        "Points: share of customers who left, against the chance predicted, in ten groups; below, "
        "how many customers got which prediction.",
        readings.calibration_reading(p_churn, churned),
    )


def _tracking(tracking: pd.DataFrame) -> Picture:
    return picture(
        tracking_chart(tracking),
        "Lines: repeat purchases by week, actual and expected, added up and week by week.",
        readings.tracking_reading(tracking),
    )


def _alive(probability_alive: ProbabilityAlive) -> Picture:
    return picture(
        alive_chart(probability_alive, age=_YEAR, max_frequency=_MAX_FREQUENCY, unit="days"),
        "Heat map: chance that a customer is still one, by time since the last purchase and by "
        "number of repeat purchases.",
        readings.alive_reading(),
    )
