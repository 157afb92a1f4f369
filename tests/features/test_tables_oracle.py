"""Events, surveys, subscriptions and attributes against plain Python, one customer at a time."""

from datetime import timedelta
from math import nan
from statistics import mean

import numpy as np
import pandas as pd
import pytest


def day(row):
    return row["at"].date()


def over(top, bottom):
    return top / bottom if bottom > 0 else nan


def number(value):
    return nan if value is None else value


def service(past):
    complaints, waiting, took = past.events_of("complaint"), [], []
    for row in past.events_of("complaint", "complaint_resolved"):
        if row["kind"] == "complaint":
            waiting.append(day(row))
        elif waiting:
            took.append((day(row) - waiting.pop(0)).days)
    spans = {f"complaints_{span}": len(past.within(complaints, span)) for span in (30, 90, 365)}
    return spans | {
        "complaints": len(complaints),
        "complaints_per_purchase": len(complaints) / len(past.days),
        "days_since_complaint": past.since(complaints),
        "complained_after_last": float(any(day(r) > past.days[-1] for r in complaints)),
        "open_complaints": len(waiting),
        "oldest_open_days": (past.as_of.date() - waiting[0]).days if waiting else nan,
        "resolution_days": mean(took) if took else nan,
        "resolution_days_last": took[-1] if took else nan,
    }


def payments(past):
    failed = past.events_of("payment_failed")
    spans = {f"failed_payments_{span}": len(past.within(failed, span)) for span in (30, 90, 365)}
    return spans | {"days_since_failed_payment": past.since(failed)}


def usage(past):
    used = past.events_of("usage")

    def amount(start, end=0):
        return sum(1 if r["value"] is None else r["value"] for r in past.within(used, start, end))

    return {
        **{f"usage_{span}": amount(span) for span in (7, 30, 90)},
        **{f"usage_trend_{s}": over(amount(s), amount(2 * s, s)) for s in (14, 30)},
        "usage_events_30": len(past.within(used, 30)),
        "days_since_usage": past.since(used),
    }


def engagement(past):
    mails, visits = past.events_of("email_sent"), past.events_of("visit")
    opens, clicks = past.events_of("email_open"), past.events_of("email_click")
    own = {"visits": "visit", "searches": "search", "carts_abandoned": "cart_abandoned"}
    choices = past.events_of("subscribe", "unsubscribe")
    found = {"open_rate": over(len(opens), len(mails)), "click_rate": over(len(clicks), len(mails))}
    for span in (30, 90):
        sent = len(past.within(mails, span))
        found[f"open_rate_{span}"] = over(len(past.within(opens, span)), sent)
        found[f"click_rate_{span}"] = over(len(past.within(clicks, span)), sent)
        for name, kind in own.items():
            found[f"{name}_{span}"] = len(past.within(past.events_of(kind), span))
    bought = sum(past.as_of.date() - timedelta(days=90) <= on for on in past.days)
    return found | {
        "open_rate_change": found["open_rate_90"] - found["open_rate"],
        "click_to_open_90": over(len(past.within(clicks, 90)), len(past.within(opens, 90))),
        "unsubscribed": float(bool(choices) and choices[-1]["kind"] == "unsubscribe"),
        "days_since_visit": past.since(visits),
        "visits_since_last": sum(day(r) > past.days[-1] for r in visits),
        "visit_trend_30": over(len(past.within(visits, 30)), len(past.within(visits, 60, 30))),
        "purchases_per_visit_90": over(bought, len(past.within(visits, 90))),
    }


def survey(past):
    asked = past.surveys
    answers = [r for r in asked if r["score"] is not None]
    same = [r["score"] for r in answers if r["question"] == answers[-1]["question"]]
    nps = [r["score"] for r in answers if r["question"] == "nps"]
    silent = 0
    for row in reversed(asked[-3:]):
        if row["score"] is not None:
            break
        silent += 1
    recent = past.within(asked, 365)
    return {
        "survey_score_last": same[-1] if same else nan,
        "survey_score_mean": mean(same) if same else nan,
        "survey_score_change": same[-1] - mean(same[:-1]) if len(same) > 1 else nan,
        "survey_score_slope": (
            np.polyfit(range(len(same[-5:])), same[-5:], 1)[0] if len(same) > 1 else nan
        ),
        "nps_last": nps[-1] if nps else nan,
        "nps_change": nps[-1] - nps[-2] if len(nps) > 1 else nan,
        "detractor": float(nps[-1] <= 6) if nps else nan,
        "days_since_answer": past.since(answers),
        "response_rate": over(len(answers), len(asked)),
        "response_rate_365": over(sum(r["score"] is not None for r in recent), len(recent)),
        "unanswered_recently": silent if asked else nan,
        "silent_respondent": float(silent >= 2) if answers else nan,
    }


def subscription(past):
    terms, today = past.subscriptions, past.as_of.date()
    last = terms[-1] if terms else None
    earlier = terms[-2] if len(terms) > 1 else None
    prices = [r["price"] for r in terms if r["price"] is not None]
    renews = [r["auto_renew"] for r in terms if r["auto_renew"] is not None]
    plans = [(a["plan"], b["plan"]) for a, b in zip(terms, terms[1:], strict=False)]
    changes = [float(a != b) if a and b else nan for a, b in plans]
    pairs = [(a, b) for a, b in zip(terms, terms[1:], strict=False) if past.ends(a)]
    if past.end_known == "at_end":  # in the order in which both dates had come
        pairs.sort(key=lambda pair: max(day(pair[1]), pair[0]["end"].date()))
    gaps = [(day(b) - a["end"].date()).days for a, b in pairs]
    priced = [r for r in terms if past.ends(r) and r["price"] is not None]
    if past.end_known == "at_end":
        priced.sort(key=lambda r: r["end"].date())
    end = last["end"].date() if last and past.ends(last) else None
    lapses = sum(gap > 1 for gap in gaps)
    return {
        "subscription_days": (today - day(terms[0])).days if terms else nan,
        "term_days": past.since(terms),
        "terms": len(terms),
        "auto_renew": number(last["auto_renew"]) if last else nan,
        "auto_renew_share": mean(renews) if renews else nan,
        "plan": last["plan"] if last else None,
        "plan_changed": changes[-1] if changes else nan,
        "plan_changes": np.nansum(changes),
        "price_last": number(last["price"]) if last else nan,
        "price_per_day": (
            priced[-1]["price"] / max((priced[-1]["end"].date() - day(priced[-1])).days, 1)
            if priced
            else nan
        ),
        "price_change": number(last["price"]) / number(earlier["price"]) if earlier else nan,
        "price_to_mean": number(last["price"]) / mean(prices) if prices else nan,
        "lapses": lapses,
        "lapse_share": over(lapses, len(gaps)),
        "early_renewals": sum(gap < 0 for gap in gaps),
        "renewal_gap_mean": mean(gaps) if gaps else nan,
        "renewal_gap_last": gaps[-1] if gaps else nan,
        "subscription_ended": float(end is not None and end < today) if last else nan,
        "days_since_end": (today - end).days if end and end < today else nan,
        "days_to_renewal": (end - today).days if end and end >= today else nan,
    }


def attributes(past):
    row = past.customers[-1] if past.customers else {"points": None, "region": None}
    return {"attribute_points": number(row["points"]), "attribute_region": row["region"]}


ORACLES = {
    **{"service": service, "payments": payments, "usage": usage, "engagement": engagement},
    **{"survey": survey, "subscription": subscription, "attributes": attributes},
}


@pytest.mark.parametrize("oracle", ORACLES.values(), ids=ORACLES.keys())
def test_the_family_equals_plain_python(computed, oracle):
    panel, pasts = computed
    expected = pd.DataFrame([oracle(past) for past in pasts])
    found = panel[expected.columns.tolist()]
    texts = found.select_dtypes("category").columns
    found = found.astype(dict.fromkeys(texts, object))
    expected = expected.astype(dict.fromkeys(texts, object)).fillna(np.nan)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, atol=1e-9)


def test_the_ledger_shows_every_value(computed):
    panel, pasts = computed
    assert len(pasts) > 20
    names = [name for oracle in ORACLES.values() for name in oracle(pasts[-1])]
    constant = {name for name in names if panel[name].nunique() < 2}
    assert constant <= {"days_to_renewal"}
