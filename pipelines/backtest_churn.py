"""`patronage backtest churn`: the churn model at many past days, against what came."""

import logging
import shutil
from dataclasses import dataclass
from datetime import date, datetime

from patronage.config import Settings
from patronage.cutoff_setting import CutoffSetting, cutoff_setting
from patronage.features import mature_cutoffs
from patronage.features.arrays import calendar_day
from patronage.features.panel_cache import PanelCache
from patronage.models.churn import ChurnModel
from patronage.models.churn_backtest import backtest_churn as backtest_model
from patronage.models.churn_backtest import testable_cutoffs
from patronage.models.churn_backtest_result import ChurnBacktest, CutoffJudged
from patronage.models.churn_evaluation import OURS
from patronage.models.training_panel import PURCHASES
from patronage.pipelines.prepare import Prepared, label_rule, prepare
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.pipelines.season_settings import season_of
from patronage.report.chart_style import svg
from patronage.report.churn_backtest_chart import backtest_chart
from patronage.report.churn_backtest_page import write_churn_backtest_page
from patronage.report.churn_backtest_words import cutoffs_text, in_plain_words, models_text

log = logging.getLogger(__name__)

SUMMARY, CHART, PAGE = "backtest_churn.json", "backtest_churn.svg", "backtest_churn.html"
TABLE, DIFFERENCES = "backtest_churn.csv", "backtest_churn_differences.csv"
SCORES = "backtest_churn_scores.parquet"
PANELS = ".panels"
AT_MOST = 12
"""Test cutoffs by default, the newest; each costs a training."""
FAR_BACK = 10_000  # cutoffs: all that the data allow


@dataclass(frozen=True)
class Asked:
    """Which days to judge: so many of the newest, of a rule, or these."""

    count: int = AT_MOST
    rule: CutoffSetting | None = None
    days: tuple[date, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Asked":
        """Read "7" (so many, the newest), "monthly", "weekly", or days such as 2026-01-31.

        Raises
        ------
        ValueError
            If it is none of these; the message says what is.
        """
        if text.strip().isdecimal() and int(text) >= 1:
            return cls(count=int(text))
        asked = cutoff_setting(text)
        return cls(days=asked) if isinstance(asked, tuple) else cls(rule=asked)


def backtest_churn(
    settings: Settings, *, asked: Asked, trials: int | None, run_at: datetime
) -> str:
    """Train and judge the churn model at past days, each time on what was known on the day.

    Everything goes into a folder of its own under [run] outputs; `latest` stays where it is, and
    no model is registered.

    Parameters
    ----------
    settings
        Of the project.
    asked
        The days.
    trials
        Of each search; [churn] trials by default.
    run_at
        Now.

    Raises
    ------
    DataError
        If a day's label is not known yet, or there is too little history before it.
    """
    settings = _as_asked(settings, asked)
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="backtest churn", started_at=run_at, latest=False) as run:
        prepared = prepare(_far_back(settings), run, run_at=run_at, days=asked.days)
        grid, tests = _cutoffs(settings, prepared, asked)
        limits = f"{trials or settings.churn.trials} trials each"
        with run.step("backtest", f"{len(tests)} cutoffs, {limits}"):
            backtest = backtest_model(
                prepared.tables,
                cutoffs=grid,
                tests=tests or None,
                rule=label_rule(settings),
                data_end=prepared.data_end,
                model=_model(settings, trials),
                season=season_of(settings),
                max_cutoffs=settings.churn.max_cutoffs,
                max_rows=settings.churn.max_rows,
                # Panels kept from trainings are not pushed out by those of so many past days.
                cache=PanelCache(run.path / PANELS, keep=0),
                told=_tell,
            )
            shutil.rmtree(run.path / PANELS)
        _write(run, backtest)
    tables = f"{models_text(backtest)}\n\n{cutoffs_text(backtest)}"
    return f"{in_plain_words(backtest)}\n\n{tables}\n\n{run.path / PAGE}"


def _as_asked(settings: Settings, asked: Asked) -> Settings:
    if asked.rule is None:
        return settings
    churn = settings.churn.model_copy(update={"cutoffs": asked.rule})
    return settings.model_copy(update={"churn": churn})


def _far_back(settings: Settings) -> Settings:
    """The oldest test cutoff learns from further back than a training of today."""
    churn = settings.churn.model_copy(update={"max_cutoffs": FAR_BACK})
    return settings.model_copy(update={"churn": churn})


def _cutoffs(
    settings: Settings, prepared: Prepared, asked: Asked
) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Days to learn at, as far back as the data reach, and days to judge at."""
    rule = label_rule(settings)

    def mature(wanted: CutoffSetting) -> tuple[date, ...]:
        return mature_cutoffs(
            first_day=calendar_day(prepared.days.first_day),
            data_end=prepared.data_end,
            horizon_days=rule.decided_days,
            lead_days=rule.lead_days,
            count=FAR_BACK,
            rule=wanted,
        )

    grid = mature(settings.churn.cutoffs)
    if asked.days:
        return grid, mature(asked.days)
    return grid, testable_cutoffs(grid, label_days=rule.label_days)[-asked.count :]


def _model(settings: Settings, trials: int | None) -> ChurnModel:
    churn = settings.churn
    return ChurnModel(
        [],
        label_days=label_rule(settings).label_days,
        trials=churn.trials if trials is None else trials,
        # A search that time ends would make the days no equals: asked for by number, it runs on.
        seconds=churn.seconds if trials is None else float("inf"),
        monotone=churn.monotone,
        from_value_model=churn.label == PURCHASES,
        seed=churn.seed,
    )


def _tell(done: int, of: int, judged: CutoffJudged) -> None:
    ours, value = judged.metrics[OURS], judged.metrics["p_no_purchase"]
    log.info(
        "%d of %d, %s: %s customers, log loss %.4f (value model %.4f), AUC %.4f, %.0f s",
        done,
        of,
        judged.cutoff,
        f"{len(judged.scores):,}",
        ours["log_loss"],
        value["log_loss"],
        ours["auc"],
        judged.seconds,
    )


def _write(run: RunFolder, backtest: ChurnBacktest) -> None:
    run.write_json(SUMMARY, backtest.to_dict())
    backtest.table.to_csv(run.path / TABLE, index=False)
    backtest.differences.to_csv(run.path / DIFFERENCES, index=False)
    backtest.all_scores.to_parquet(run.path / SCORES, index=False)
    (run.path / CHART).write_bytes(svg(backtest_chart(backtest)))
    write_churn_backtest_page(run.path / PAGE, backtest, run_id=run.run_id)
