import re
from itertools import combinations
from math import ceil, floor

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from said_reasons import NAMES, REASONS

from patronage.features.catalogue import FEATURES
from patronage.retention.reasons import plain_reasons
from patronage.retention.sentences import Values
from patronage.retention.topics import ABSENCE, FEW, LESS_ACTIVE, SLOWER, TOPICS


def number(text):
    return float(text.replace(",", ""))


def is_share(text, share):
    """Whether per cent that say so where they are not quite none or all are the share."""
    if text in ("<1", ">99"):
        return 0 < share <= 0.005 if text == "<1" else 0.995 <= share < 1
    return number(text) == pytest.approx(100 * share, abs=0.501)


def is_gap(low, high, gap):
    return number(low) == floor(gap) and number(high or low) == ceil(gap)


def window(row, measure, span, length):
    """The measure over the days before the last `span`, up to `length` days of them."""
    return row[f"{measure}_{int(span) + int(length)}"] - row[f"{measure}_{span}"]


GAP = r"([\d,]+)(?: to ([\d,]+))? days?"
AMOUNT = r"(?:([\d,.]+) EUR|nothing)"
TRUTHS = {
    rf"usually buys every {GAP}; now ([\d,]+) days? without": lambda r, low, high, away: (
        r.frequency >= 2
        and is_gap(low, high, r.usual_gap_days)
        and number(away) == r.days_since_last > r.usual_gap_days
    ),
    r"usually buys every day; now ([\d,]+) days without": lambda r, away: (
        r.frequency >= 2 and r.usual_gap_days == 1 and number(away) == r.days_since_last > 1
    ),
    rf"buys only every {GAP}; last purchase ([\d,]+) days? ago": lambda r, low, high, away: (
        r.frequency >= 2
        and is_gap(low, high, r.usual_gap_days)
        and number(away) == r.days_since_last <= r.usual_gap_days >= 90
    ),
    rf"came back only after {GAP} last time; last purchase ([\d,]+) days? ago": (
        lambda r, low, high, away: (
            r.frequency == 1
            and is_gap(low, high, r.usual_gap_days)
            and number(away) == r.days_since_last <= r.usual_gap_days >= 90
        )
    ),
    rf"came back after {GAP} last time; now ([\d,]+) days? without": lambda r, low, high, away: (
        r.frequency == 1
        and is_gap(low, high, r.usual_gap_days)
        and number(away) == r.days_since_last > r.usual_gap_days
    ),
    r"only one purchase so far, ([\d,]+) days? ago": lambda r, away: (
        r.frequency == 0 and number(away) == r.days_since_last
    ),
    r"only (\d+) purchases in ([\d,]+) days? as a customer": lambda r, bought, age: (
        number(bought) == r.frequency + 1 >= 2 and number(age) == r["T"] > 90
    ),
    rf"spent {AMOUNT} in the last (\d+) days; ([\d,.]+) EUR in the (\d+) days before": (
        lambda r, now, span, before, length: (
            number(now or "0") == pytest.approx(r[f"spend_{span}"], abs=0.00501)
            and number(before) == pytest.approx(window(r, "spend", span, length), abs=0.00501)
            and number(now or "0") < number(before)
            and number(now or "0") / number(span) < number(before) / number(length)
        )
    ),
    r"(\d+|no) purchases? in the last (\d+) days; (\d+) in the (\d+) days before": (
        lambda r, now, span, before, length: (
            number(now.replace("no", "0")) == r[f"purchase_days_{span}"]
            and number(before) == window(r, "purchase_days", span, length)
            and number(now.replace("no", "0")) < number(before)
        )
    ),
    rf"last two purchases ([\d,]+) days? apart; usually {GAP}": lambda r, last, low, high: (
        r.frequency >= 2
        and is_gap(low, high, r.usual_gap_days)
        and number(last) == r.gap_last > r.usual_gap_days
    ),
    r"two of the last three pauses .* longer than usual": lambda r: (
        r.slow_gaps == 2 and r.frequency >= 3
    ),
    r"last basket ([\d,.]+) EUR; ([\d,.]+) EUR on average": lambda r, last, mean: (
        r.frequency >= 1
        and number(last) == pytest.approx(r.basket_last_ratio * r.basket_mean, abs=0.00501)
        and number(mean) == pytest.approx(r.basket_mean, abs=0.00501)
        and number(last) <= 0.51 * number(mean)
    ),
    r"sent something back ([\d,]+) days? ago, after the last purchase": lambda r, away: (
        r.returned_after_last == 1 and number(away) == r.days_since_return
    ),
    r"sent back (\S+)% of what was bought, by value": lambda r, share: (
        is_share(share, r.return_share) and r.return_share > 0.04
    ),
    r"bought nothing in the same (\d+) days last year": lambda r, span: (
        r[f"season_purchase_days_{span}"] == 0
        and r["T"] >= 365
        and r.usual_gap_days <= number(span)
    ),
    r"average discount (\S+)% in the last 90 days; (\S+)% so far": lambda r, now, ever: (
        is_share(now, r.discount_share_90)
        and is_share(ever, r.discount_share)
        and r.discount_share_90 < r.discount_share
    ),
    r"buys at an average discount of (\S+)%": lambda r, share: is_share(share, r.discount_share),
    r"customer for only ([\d,]+) days? so far": lambda r, age: (
        r.frequency >= 1 and number(age) == r["T"] <= 90
    ),
    r"a complaint has been open for ([\d,]+) days?": lambda r, age: (
        number(age) == r.oldest_open_days and r.open_complaints > 0
    ),
    r"complained ([\d,]+) days? ago, after the last purchase": lambda r, away: (
        number(away) == r.days_since_complaint and r.complained_after_last == 1
    ),
    r"(\d+) complaints? in the last 365 days": lambda r, n: number(n) == r.complaints_365 > 0,
    r"(\d+) failed payments? in the last 90 days": lambda r, n: (
        number(n) == r.failed_payments_90 > 0
    ),
    r"unsubscribed from e-mails": lambda r: r.unsubscribed == 1,
    r"opened (\S+)% of e-mails in the last 90 days; (\S+)% so far": lambda r, now, ever: (
        is_share(now, r.open_rate_90)
        and is_share(ever, r.open_rate)
        and r.open_rate_90 < r.open_rate
    ),
    r"(\d+) visits? in the last 30 days; (\d+) in the 60 days before": lambda r, now, before: (
        number(now) == r.visits_30
        and number(before) == r.visits_90 - r.visits_30
        and number(now) < number(before)
    ),
    r"last visit ([\d,]+) days ago": lambda r, away: number(away) == r.days_since_visit >= 30,
    r"last used ([\d,]+) days? ago": lambda r, away: number(away) == r.days_since_usage,
    r"usage in the last 30 days (\S+)% of the 30 days before": lambda r, share: (
        is_share(share, r.usage_trend_30) and r.usage_trend_30 < 1
    ),
    r"gave (\S+) of 10 for recommending, when last answered": lambda r, score: (
        number(score) == pytest.approx(r.nps_last, rel=1e-5) and 0 <= r.nps_last <= 6
    ),
    r"last survey score (\S+); (\S+) on average before": lambda r, last, before: (
        number(last) == pytest.approx(r.survey_score_last, abs=0.0501)
        and number(last) < number(before)
    ),
    r"no longer answers surveys; last answer ([\d,]+) days? ago": lambda r, away: (
        number(away) == r.days_since_answer and r.silent_respondent == 1
    ),
    r"subscription ended ([\d,]+) days? ago": lambda r, away: number(away) == r.days_since_end,
    r"subscription ends in (\d+) days?": lambda r, left: number(left) == r.days_to_renewal <= 60,
    r"price rose from ([\d,.-]+) EUR to ([\d,.]+) EUR": lambda r, before, now: (
        number(now) == pytest.approx(r.price_last, abs=0.00501) and number(before) < number(now)
    ),
    r"subscription lapsed (\d+) times? before": lambda r, n: number(n) == r.lapses > 0,
    r"bought from (\d+) of (\d+) categories in the last 90 days": lambda r, now, ever: (
        0 < number(now) == r.categories_90 <= r.categories / 2 and r.categories == number(ever)
    ),
    r"last purchase ([\d,]+) days? ago": lambda r, away: number(away) == r.days_since_last,
    r"at stake: (\d+) purchases so far, ([\d,.]+) EUR each on average": lambda r, bought, mean: (
        number(bought) == r.frequency + 1 > 1
        and number(mean) == pytest.approx(r.total_spend / (r.frequency + 1), abs=0.00501)
    ),
}


KEPT_TRUTHS = {
    rf"usually buys every {GAP}; last purchase ([\d,]+) days? ago": lambda r, low, high, away: (
        r.frequency >= 2
        and is_gap(low, high, r.usual_gap_days)
        and number(away) == r.days_since_last <= r.usual_gap_days
    ),
    r"last purchase ([\d,]+) days? ago": lambda r, away: number(away) == r.days_since_last <= 30,
    r"([\d,]+) purchases in ([\d,]+) days? as a customer": lambda r, bought, age: (
        number(bought) == r.frequency + 1 > 4 and number(age) == r["T"]
    ),
    rf"spent {AMOUNT} in the last (\d+) days; ([\d,.]+) EUR in the \d+ days before": (
        lambda r, now, span, before: (
            number(now) == pytest.approx(r[f"spend_{span}"], abs=0.00501)
            and number(before) == pytest.approx(window(r, "spend", span, span), abs=0.00501)
            and number(now) > number(before)
        )
    ),
    r"customer for ([\d,]+) days": lambda r, age: number(age) == r["T"] >= 365,
    r"bought (\d+) times in the same 90 days last year": lambda r, bought: (
        number(bought) == r.season_purchase_days_90 > 1
    ),
}


def is_true(sentence, row):
    """Every sentence, recomputed from the features; what keeps a customer is said of no other."""
    if sentence.startswith("likely to stay"):
        keeps = sentence.removeprefix("likely to stay: ")
        said = keeps == "likely to stay, all in all" or holds(keeps, row, KEPT_TRUTHS)
        return row.p_churn < 0.5 and said
    if sentence.startswith("but "):
        return row.p_churn < 0.5 and holds(sentence.removeprefix("but "), row, TRUTHS)
    return holds(sentence.removeprefix("unusual for them: "), row, TRUTHS)


def holds(sentence, row, truths):
    for pattern, truth in truths.items():
        if found := re.fullmatch(pattern, sentence):
            return truth(row, *found.groups())
    return False


DRAWS = {
    "count": lambda rng, n: rng.integers(0, 7, n).astype(float),
    "days": lambda rng, n: rng.integers(1, rng.choice([40, 1500], n)).astype(float),
    "flag": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "money": lambda rng, n: rng.normal(40, 60, n) * rng.integers(0, 2, n),
    "number": lambda rng, n: rng.normal(0, 8, n).round(2),
    "text": lambda rng, n: rng.choice(["a", "b"], n),
    "ratio": lambda rng, n: rng.uniform(0, 3, n),
    "share": lambda rng, n: rng.uniform(-0.2, 1.3, n),
}


def any_customers(rng, n):
    """Feature values of any kind, consistent with each other or not, a fifth of them missing."""
    table = pd.DataFrame({one.name: DRAWS[one.unit](rng, n) for one in FEATURES})
    table = table.mask(rng.random(table.shape) < 0.2)
    return table.assign(
        customer_id=np.arange(n),
        frequency=rng.integers(0, 6, n),
        days_since_last=rng.integers(1, 200, n),
        usual_gap_days=np.where(rng.random(n) < 0.1, np.nan, rng.integers(2, 300, n) / 2),
        p_churn=np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=859228461)
def test_every_sentence_is_true(seed):
    rng = np.random.default_rng(seed)
    features = any_customers(rng, 200)
    pushes = pd.DataFrame(rng.normal(0, 1, (200, len(NAMES))), columns=NAMES)
    reasons = plain_reasons(features, pushes, currency="EUR")[REASONS]
    assert (reasons["reason_1"] != "").all()
    for (_, row), said in zip(features.iterrows(), reasons.values.tolist(), strict=True):
        texts = [text for text in said if text]
        assert [text for text in texts if not is_true(text, row)] == []
        assert said == texts + [""] * (3 - len(texts))
        assert len(set(texts)) == len(texts)


NO_CLAIM = ("unusual for them: ", "at stake: ", "likely to stay", "last purchase")


def said_of(features, pushes):
    """Each customer's row, contributions and reasons that are claimed to raise the risk."""
    reasons = plain_reasons(features, pushes, currency="EUR")[REASONS]
    rows = zip(features.iterrows(), pushes.iterrows(), reasons.values.tolist(), strict=True)
    for (_, row), (_, push), texts in rows:
        marked = ("unusual for them: ", "at stake: ", "likely to stay")
        claims = [
            text.removeprefix("but ") for text in texts if text and not text.startswith(marked)
        ]
        yield row, push, texts, [text for text in claims if not text.startswith("last purchase")]


MERGED = (ABSENCE, FEW, SLOWER, LESS_ACTIVE)
"""Topics that say the same are added up and told by one of their sentences."""


def groups_that_say(text, features):
    """The sums that may stand behind a sentence: its topics, and those merged into them."""
    values = Values(features, "EUR")
    of_text = [t for t in TOPICS if text in {one for s in t.sentences for one in said(s, values)}]
    for topic in of_text:
        yield topic.features
        if topic in MERGED:
            for count in (2, 3, 4):
                for some in combinations(MERGED, count):
                    yield tuple(name for one in some for name in one.features)


def said(sentence, values):
    return sentence.say(values) if sentence.true_for(values).all() else []


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_reason_has_a_group_that_raises_the_risk(seed):
    rng = np.random.default_rng(seed)
    features = any_customers(rng, 30)
    pushes = pd.DataFrame(rng.normal(0, 1, (30, len(NAMES))), columns=NAMES)
    for row, push, _, claims in said_of(features, pushes):
        table = pd.DataFrame([row]).infer_objects()
        for text in claims:
            table = table.assign(basket_last=row.basket_last_ratio * row.basket_mean)
            sums = [push.reindex(names).sum() for names in groups_that_say(text, table)]
            assert max(sums) > 0, text


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_where_everything_lowers_the_risk_nothing_is_claimed_to_raise_it(seed):
    rng = np.random.default_rng(seed)
    features = any_customers(rng, 100)
    pushes = pd.DataFrame(-rng.random((100, len(NAMES))), columns=NAMES)
    for row, _, texts, claims in said_of(features, pushes):
        assert claims == []
        assert texts[0].startswith("likely to stay") == (row.p_churn < 0.5)
