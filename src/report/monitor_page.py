"""The monitor's page: one HTML file that needs no network."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from patronage.report.monitor_charts import realised_chart, scores_chart, volume_chart
from patronage.report.pictures import Picture, picture
from patronage.report.templates import template
from patronage.retention.wording import chance, counted
from patronage.tracking.alarms import drifted, emptied, matters
from patronage.tracking.drift import Drift
from patronage.tracking.realised import Realised
from patronage.tracking.save_rate import ListOutcome
from patronage.tracking.volume import Period
from patronage.tracking.watched import Watched

FIRST_FEATURES = 20
MAX_TEXT = 80


def write_monitor_page(path: Path, watched: Watched, *, run_id: str) -> None:
    """Write the page: alarms, scores, features, realised quality, lists, volume, limits.

    Everything is inside the file, its content security policy forbids any request, and every text
    is escaped.
    """
    path.write_text(monitor_html(watched, run_id=run_id), encoding="utf-8")


def monitor_html(watched: Watched, *, run_id: str) -> str:
    """The page as text."""
    features = [_feature(one, watched) for one in watched.features]
    return template("monitor.html.j2").render(
        run_id=run_id,
        watched=watched,
        alarms=watched.alarms,
        headline=_headline(watched),
        tiles=_tiles(watched),
        pictures=list(_pictures(watched)),
        scores=None if watched.scores is None else _feature(watched.scores, watched),
        first=features[:FIRST_FEATURES],
        others=features[FIRST_FEATURES:],
        compared=_compared(watched),
        judged=[_judged(one, watched) for one in reversed(watched.judged)],
        waiting=[(str(one.as_of), one.run_id, str(one.matures)) for one in watched.waiting],
        lists=None if watched.lists is None else [_list(one) for one in watched.lists],
        causal=any(one.difference is not None for one in watched.lists or ()),
        periods=[_period(one) for one in reversed(watched.periods)],
        runs=[_volume(one) for one in reversed(watched.runs)],
        limits=list(watched.limits.model_dump().items()),
    )


def _headline(watched: Watched) -> str:
    alarms = watched.alarms
    said = f"{counted(len(alarms), 'alarm')}." if alarms else "No alarm."
    newest = watched.newest
    scored = (
        f"Watched are the scores of {counted(watched.eligible, 'eligible customer')} as of "
        f"{newest.as_of}, by model version {newest.model_version}."
    )
    other = watched.champion not in (None, newest.model_version)
    changed = f" The champion is version {watched.champion} by now." if other else ""
    return f"{said} {scored}{changed}"


def _compared(watched: Watched) -> str:
    """What is compared with what."""
    reference, newest = watched.reference, watched.newest
    if reference is None:
        return ""
    days = reference.cutoffs
    rows = f"{counted(reference.rows, 'row')} of {counted(reference.customers, 'customer')}"
    text = (
        f"The eligible customers as of {newest.as_of} against the training rows of model "
        f"{newest.model_version}: {rows}"
    )
    if not days:
        return f"{text}. The scores are compared with those of the customers kept aside to judge."
    return (
        f"{text}, eligible at {counted(len(days) - 1, 'cutoff')} from {days[0]} to {days[-2]}. The "
        f"scores are compared with those of the test customers as of {days[-1]}."
    )


def _tiles(watched: Watched) -> list[tuple[str, str, str]]:
    """Name, figure and what it means."""
    tiles = [("Alarms", str(len(watched.alarms)), "")]
    if watched.scores is not None:
        tiles.append(("Drift of the scores", f"{watched.scores.psi:.2f}", "PSI"))
    if watched.weighted_psi is not None:
        tiles.append(
            ("Drift of the features", f"{watched.weighted_psi:.2f}", "mean PSI by importance")
        )
    for one in watched.judged[-1:]:
        tiles += [
            ("Said to leave", chance(one.predicted), f"as of {one.as_of}"),
            ("Left", chance(one.actual), f"as of {one.as_of}"),
            ("Log loss", f"{one.log_loss:.4f}", f"{one.log_loss_foreseen:.4f} promised"),
        ]
    return tiles


def _pictures(watched: Watched) -> Iterator[Picture]:
    if watched.judged:
        yield picture(
            realised_chart(watched.judged),
            "Points: share who left, and who were said to, by scored day.",
            "Where the two lie apart, the probabilities were off; a season or a campaign can do "
            "that for one day, a model that is too old for all of them.",
        )
    if watched.reference is not None and watched.eligible:
        yield picture(
            scores_chart(watched.reference.scores, watched.p_churn),
            "Lines: share of customers with at most a chance to leave, in the model's test and "
            "now.",
            "Lines on top of each other: the scores are spread as they were when the model was "
            "tested.",
        )
    if watched.periods:
        yield picture(
            volume_chart(watched.periods),
            "Bars: purchase days, and first ones, by four weeks.",
            "A sudden fall in the last bar is more often a source that broke than customers who "
            "left.",
        )


def _feature(one: Drift, watched: Watched) -> dict[str, Any]:
    limits = watched.limits
    heavy = one.name == "p_churn" or matters(one, limits)
    remarks = [
        *(["drifted"] if drifted(one, limits) else []),
        *(["goes on as it did"] if one.on_course else []),
        *(["nulls"] if emptied(one, limits) else []),
        *([f"unseen: {', '.join(one.unseen)[:MAX_TEXT]}"] if one.unseen_share > 0 else []),
    ]
    return {
        "name": one.name,
        "importance": f"{one.importance:.1%}",
        "psi": f"{one.psi:.3f}",
        "usual": f"{one.usual_psi:.3f}",
        "ks": "–" if one.ks is None else f"{one.ks:.3f}",
        "p": _p_value(one.p_adjusted),
        "then": _number(one.median_then),
        "now": _number(one.median_now),
        "null_then": chance(one.null_then),
        "null_now": chance(one.null_now),
        "remarks": "; ".join(remarks),
        "alarm": (heavy and drifted(one, limits)) or emptied(one, limits),
    }


def _judged(one: Realised, watched: Watched) -> dict[str, str]:
    test = watched.test_log_loss.get(one.model_version)
    remarks = [
        *(["the model had seen later days"] if one.hindsight else []),
        *([f"{one.n_treated:,} of them contacted"] if one.n_treated else []),
        *([f"{one.n_unknown:,} not in today's data"] if one.n_unknown else []),
    ]
    return {
        "as_of": str(one.as_of),
        "model": one.model_version,
        "n": f"{one.n:,}",
        "predicted": f"{one.predicted:.1%}",
        "actual": f"{one.actual:.1%} ({one.actual_low:.1%} to {one.actual_high:.1%})",
        "log_loss": f"{one.log_loss:.4f}",
        "test": _number(test, "{:.4f}"),
        "foreseen": f"{one.log_loss_foreseen:.4f}",
        "brier": f"{one.brier:.4f}",
        "auc": _number(one.auc, "{:.4f}"),
        "slope": "–" if one.slope is None else _interval(one),
        "remarks": "; ".join(remarks),
    }


def _interval(one: Realised) -> str:
    return f"{_number(one.slope, '{:.2f}')} ({_number(one.slope_low, '{:.2f}')} to " + (
        f"{_number(one.slope_high, '{:.2f}')})"
    )


def _list(one: ListOutcome) -> dict[str, str]:
    arms = [
        f"{stayed:,} of {n:,}" if n else "–"
        for stayed, n in ((one.treated_stayed, one.treated), (one.control_stayed, one.control))
    ]
    difference = "–"
    if one.difference is not None and one.low is not None and one.high is not None:
        difference = f"{one.difference:+.1%} ({one.low:+.1%} to {one.high:+.1%})"
    told = ", ".join(f"{name[:MAX_TEXT]}: {n:,}" for name, n in list(one.told.items())[:5])
    return {
        "list": one.list_id[:MAX_TEXT],
        "as_of": "no such run" if one.as_of is None else str(one.as_of),
        "treated": arms[0],
        "control": arms[1],
        "difference": difference,
        "told": told,
        "known": "" if one.matured or one.as_of is None else "label not known yet",
    }


def _period(one: Period) -> Sequence[str]:
    return (str(one.end), f"{one.purchase_days:,}", f"{one.customers:,}", f"{one.new_customers:,}")


def _volume(one: Any) -> Sequence[str]:
    counts = (one.transactions, one.customers, one.eligible)
    return (str(one.as_of), one.run_id, *("–" if n is None else f"{n:,}" for n in counts))


def _p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _number(value: float | None, form: str = "{:,.4g}") -> str:
    return "–" if value is None else form.format(value)
