"""Families of what was bought against plain Python, one customer at a time."""

from collections import Counter
from datetime import timedelta
from math import exp, log, nan
from statistics import mean

import numpy as np
import pandas as pd
import pytest


def day(row):
    return row["at"].date()


def over(top, bottom):
    return top / bottom if bottom > 0 else nan


def spread(past, column):
    """Distinct values, those of 90 days, entropy, share and place of the top, first days."""
    lines = [r for r in past.bought if r[column] is not None]
    counts = Counter(r[column] for r in lines)
    if not counts:
        return None
    top = max(sorted(counts), key=counts.get)
    firsts = {}
    for row in lines:
        firsts.setdefault(row[column], day(row))
    on_first = Counter(r[column] for r in lines if day(r) == day(lines[0]))
    shares = [n / len(lines) for n in counts.values()]
    return {
        "lines": lines,
        "distinct": len(counts),
        "recent": len({r[column] for r in past.within(lines, 90)}),
        "entropy": -sum(share * log(share) for share in shares),
        "top": top,
        "top_share": counts[top] / len(lines),
        "top_day": max(day(r) for r in lines if r[column] == top),
        "firsts": firsts,
        "first": max(sorted(on_first), key=on_first.get),
    }


def breadth(past):
    found, today = spread(past, "category"), past.as_of.date()
    if found is None:
        return {"categories": 0, "categories_90": 0, "new_categories_90": 0}
    by_day = {(day(r), r["category"]) for r in found["lines"]}
    later = [pair for pair in by_day if pair[0] > day(found["lines"][0])]
    new = [pair for pair in later if found["firsts"][pair[1]] == pair[0]]
    distinct = found["distinct"]
    return {
        "categories": distinct,
        "categories_90": found["recent"],
        "categories_90_share": found["recent"] / distinct,
        "category_entropy": found["entropy"] / log(distinct) if distinct > 1 else 0,
        "categories_effective": exp(found["entropy"]),
        "top_category_share": found["top_share"],
        "days_since_top_category": (today - found["top_day"]).days,
        "new_category_rate": over(len(new), len(later)),
        "new_categories_90": sum((today - on).days <= 90 for on in found["firsts"].values()),
        "days_since_new_category": (today - max(found["firsts"].values())).days,
        "first_category": found["first"],
        "top_category": found["top"],
    }


def channel(past):
    found, today = spread(past, "channel"), past.as_of.date()
    if found is None:
        return {"channels": 0, "channels_90": 0}
    return {
        "channels": found["distinct"],
        "channels_90": found["recent"],
        "channel_entropy": found["entropy"] / log(2) if found["distinct"] > 1 else 0,
        "top_channel_share": found["top_share"],
        "channel_switched": float(found["top_day"] < day(found["lines"][-1])),
        "days_since_new_channel": (today - max(found["firsts"].values())).days,
        "first_channel": found["first"],
        "top_channel": found["top"],
    }


def price(past):
    off = {on: sum(r["discount"] for r in past.bought if day(r) == on) for on in past.days}
    paid = {on: sum(r["amount"] for r in past.bought if day(r) == on) for on in past.days}
    recent = [on for on in past.days if (past.as_of.date() - on).days <= 90]
    cut = [on for on in past.days if off[on] > 0]

    def discount(days):
        return over(sum(off[on] for on in days), sum(off[on] + paid[on] for on in days))

    def margin(rows, days):
        return over(sum(r["margin"] for r in rows), sum(paid[on] for on in days))

    full = over(sum(off[on] == 0 for on in recent), len(recent))
    ever, lately = (
        margin(past.transactions, past.days),
        margin(past.within(past.transactions, 90), recent),
    )
    return {
        "discount_change": discount(recent) - discount(past.days),
        "discount_days_share": len(cut) / len(past.days),
        "discount_depth": discount(cut),
        "full_price_share_90": full,
        "full_price_change": full - (1 - len(cut) / len(past.days)),
        "margin_share_90": lately,
        "margin_change": lately - ever,
    }


def returns(past):
    back = [r for r in past.transactions if r["amount"] < 0]

    def share(start):
        bought = sum(r["amount"] for r in past.within(past.bought, start))
        return over(-sum(r["amount"] for r in past.within(back, start)), bought)

    return {
        "return_lines_90": len(past.within(back, 90)),
        "return_change": share(90) - share(9999),
    }


def rhythm(past):
    gaps = [(b - a).days for a, b in zip(past.days, past.days[1:], strict=False)]
    today = past.as_of.date()
    away, age = (today - past.days[-1]).days, (today - past.days[0]).days
    usual = float(np.median(gaps)) if gaps else 0
    expected = (len(gaps) * usual + age / len(past.days)) / (len(gaps) + 1)
    own = sum((gap - mean(gaps)) ** 2 for gap in gaps)
    sd = ((own + expected**2) / (max(len(gaps) - 1, 0) + 1)) ** 0.5
    shares = [gap / age for gap in [*gaps, away]]
    clumped = 1 + sum(s * log(s) for s in shares) / log(len(shares)) if gaps else nan
    return {"recency_z": (away - expected) / sd, "clumpiness": clumped}


def lifecycle(past):
    today, age = past.as_of.date(), (past.as_of.date() - past.days[0]).days
    third = age // 3
    begin = [on for on in past.days if on < today - timedelta(days=2 * third)]
    end = [on for on in past.days if on >= today - timedelta(days=third)]
    bought = sum(r["amount"] for r in past.bought)

    def spent(days):
        return sum(r["amount"] for r in past.bought if day(r) in days) / bought

    gaps = [(b - a).days for a, b in zip(past.days, past.days[1:], strict=False)]
    return {
        "tenure_bucket": sum(age >= step for step in (30, 90, 180, 365, 730)),
        "begin_share": len(begin) / len(past.days),
        "middle_share": 1 - (len(begin) + len(end)) / len(past.days),
        "end_share": len(end) / len(past.days),
        "end_to_begin": (len(end) + 0.5) / (len(begin) + 0.5),
        "begin_spend_share": spent(begin),
        "end_spend_share": spent(end),
        "pauses": sum(gap > 90 for gap in gaps) if gaps else 0,
        "spend_per_day": sum(r["amount"] for r in past.transactions) / age,
    }


ORACLES = {
    **{"breadth": breadth, "channel": channel, "price": price, "returns": returns},
    **{"rhythm": rhythm, "lifecycle": lifecycle},
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
    assert constant <= {"channels", "channels_90"}
