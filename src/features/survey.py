"""Family survey: what the customer answered, and whether they still answer.

A row of surveys is an invitation, answered where it has a score. Scores are compared within one
question, since questions differ in scale. The net promoter question is the one called nps, asked
from 0 to 10; who gives 6 or less is a detractor (Reichheld 2003, Harvard Business Review 81(12)).
"""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.lookup import Lookup

NEEDS = "surveys"
NPS = "nps"
DETRACTOR_AT_MOST = 6
RECENT_ANSWERS = 5
RECENT_INVITATIONS = 3
SILENT_AFTER = 2
NO_ANSWER = "where nothing was answered"
NO_NPS = "where the question nps was not answered"

FEATURES = (
    Feature(
        "survey_score_last",
        "Score of the last answer, in the scale of its question.",
        "number",
        "survey",
        "last survey score",
        null=NO_ANSWER,
    ),
    Feature(
        "survey_score_mean",
        "Mean of all answers to the question that was answered last.",
        "number",
        "survey",
        "mean survey score",
        null=NO_ANSWER,
    ),
    Feature(
        "survey_score_change",
        "The last answer less the mean of the answers to the same question before it.",
        "number",
        "survey",
        "change in survey score",
        null="with one answer to the question",
    ),
    Feature(
        "survey_score_slope",
        f"Slope of a straight line through the last {RECENT_ANSWERS} answers at most to the "
        "question that was answered last, per answer.",
        "number",
        "survey",
        "trend of the survey scores",
        null="with one answer to the question",
    ),
    Feature(
        "nps_last",
        "Last answer to the question nps.",
        "number",
        "survey",
        "last willingness to recommend",
        null=NO_NPS,
    ),
    Feature(
        "nps_change",
        "The last answer to the question nps less the one before it.",
        "number",
        "survey",
        "change in willingness to recommend",
        null="with fewer than two answers to it",
    ),
    Feature(
        "detractor",
        f"1 when the last answer to the question nps is {DETRACTOR_AT_MOST} or less, of 10.",
        "flag",
        "survey",
        "would not recommend",
        null=NO_NPS,
    ),
    Feature(
        "days_since_answer",
        "Days from the last answer to as_of.",
        "days",
        "survey",
        "days since the last survey answer",
        null=NO_ANSWER,
    ),
    Feature(
        "response_rate",
        "Share of the invitations that were answered.",
        "share",
        "survey",
        "share of surveys answered",
        null="where there was no invitation",
    ),
    Feature(
        "response_rate_365",
        "The same of those of the 365 days before as_of.",
        "share",
        "survey",
        "share of surveys answered in the last year",
        window=365,
        null="where there was no invitation in them",
    ),
    Feature(
        "unanswered_recently",
        f"Invitations without answer since the last answer, {RECENT_INVITATIONS} at most: more "
        "would tell how often the firm asks.",
        "count",
        "survey",
        "last surveys left unanswered",
        null="where there was no invitation",
    ),
    Feature(
        "silent_respondent",
        f"1 when a customer who used to answer left the last {SILENT_AFTER} invitations or more "
        "without answer.",
        "flag",
        "survey",
        "no longer answers surveys",
        null=NO_ANSWER,
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    asked = grid.over("surveys")
    answered = ~np.isnan(asked.records.number("score"))
    answers = asked.where(answered)
    nps = answers.where(answers.records.text("question").among({NPS, NPS.upper()}))
    silent = _silent(asked, answers)
    return {
        **_scores(answers),
        **_nps(nps),
        "days_since_answer": answers.days_since,
        "response_rate": ratio(answers.seen, asked.seen),
        "response_rate_365": ratio(answers.count(365), asked.count(365)),
        "unanswered_recently": silent,
        "silent_respondent": np.where(answers.seen > 0, silent >= SILENT_AFTER, np.nan),
    }


def _scores(answers: Lookup) -> Columns:
    """Of the question answered last, by answers put next to each other."""
    from patronage.features.event_kernels import running_answers

    records = answers.records
    score, question = records.number("score"), records.text("question").codes
    order = np.lexsort((question, records.owner))
    new = (np.diff(records.owner[order]) != 0) | (np.diff(question[order]) != 0)
    groups = np.flatnonzero(np.concatenate(([True], new, [True]))) if score.size else np.zeros(1)
    found = running_answers(score[order], groups.astype(np.int64), RECENT_ANSWERS)
    place = np.argsort(order)
    mean, change, slope = (answers.latest(values[place]) for values in found)
    return {
        "survey_score_last": answers.latest(score),
        "survey_score_mean": mean,
        "survey_score_change": change,
        "survey_score_slope": slope,
    }


def _nps(nps: Lookup) -> Columns:
    score = nps.records.number("score")
    last = nps.latest(score)
    return {
        "nps_last": last,
        "nps_change": last - nps.latest(score, back=1),
        "detractor": np.where(np.isnan(last), np.nan, last <= DETRACTOR_AT_MOST),
    }


def _silent(asked: Lookup, answers: Lookup) -> FloatArray:
    """Invitations after the last answer among the last few; NaN where there was none."""
    answered = (~np.isnan(asked.records.number("score"))).astype(np.float64)
    silent = np.zeros(asked.as_of.size)
    unbroken = np.ones(asked.as_of.size, dtype=np.bool_)
    for back in range(RECENT_INVITATIONS):
        unbroken &= asked.latest(answered, back=back) == 0
        silent += unbroken
    return np.where(asked.seen > 0, silent, np.nan)
