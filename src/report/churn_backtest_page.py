"""The page of a backtest of churn: one HTML file that needs no network."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from patronage.models.churn_backtest_result import ChurnBacktest
from patronage.models.churn_evaluation import OURS
from patronage.report.calibration_chart import calibration_chart
from patronage.report.churn_backtest_chart import backtest_chart, shown_rivals
from patronage.report.churn_backtest_words import cutoffs_table, in_plain_words, models_table
from patronage.report.pictures import Picture, picture
from patronage.report.quality import SCORE_NAMES
from patronage.report.readings import calibration_reading
from patronage.report.templates import template


def write_churn_backtest_page(path: Path, backtest: ChurnBacktest, *, run_id: str) -> None:
    """Write the page: result in words, charts, models and cutoffs.

    Everything is inside the file, its content security policy forbids any request, and every text
    is escaped.
    """
    path.write_text(churn_backtest_html(backtest, run_id=run_id), encoding="utf-8")


def churn_backtest_html(backtest: ChurnBacktest, *, run_id: str) -> str:
    """The page as text."""
    models = models_table(backtest)
    cutoffs = cutoffs_table(backtest)
    return template("churn_backtest.html.j2").render(
        run_id=run_id,
        first=str(backtest.cutoffs[0].cutoff),
        last=str(backtest.cutoffs[-1].cutoff),
        headline=in_plain_words(backtest),
        pictures=list(_pictures(backtest)),
        columns=list(models),
        models=[(name, *row) for name, row in zip(models.index, models.to_numpy(), strict=True)],
        ours=OURS,
        cutoff_columns=list(cutoffs),
        cutoffs=cutoffs.to_numpy().tolist(),
        purchases=[(str(one.cutoff), one.purchases) for one in backtest.cutoffs],
    )


def _pictures(backtest: ChurnBacktest) -> Iterator[Picture]:
    names = ", ".join(SCORE_NAMES.get(name, name) for name in (OURS, *shown_rivals(backtest)))
    yield picture(
        backtest_chart(backtest),
        f"Lines by test cutoff: log loss, and how far the share said to leave lay off, of {names}.",
        "A line below the others on the left foresaw better at that cutoff. Where all lines bend "
        "on the right, the season or the trade changed: no score could know.",
    )
    rows = pd.concat([one.scores for one in backtest.cutoffs], ignore_index=True)
    yield picture(
        calibration_chart(rows[OURS], rows["churned"]),
        "Points: share of customers who left, against the chance predicted, in ten groups, all "
        "cutoffs together.",
        calibration_reading(rows[OURS], rows["churned"]),
    )
