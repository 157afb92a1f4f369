import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from patronage.config import Action
from patronage.tracking.gate import Money, judge

RNG = np.random.default_rng(5)
TRUTH = pd.Series(RNG.beta(1, 1, 3000))
CHURNED = pd.Series((RNG.random(3000) < TRUTH).astype(int))
SHIFTS = np.linspace(0, 4, 81)
FLAT = pd.Series(np.full(3000, 0.5))


def test_a_better_challenger_passes():
    verdict = judge(CHURNED, TRUTH, to_beat={"p_no_purchase": FLAT}, champion=FLAT)
    assert verdict.passed
    assert [c.other for c in verdict.comparisons] == ["p_no_purchase", "champion"]
    assert verdict.comparisons[0].high < 0


def test_a_worse_challenger_fails_and_says_by_how_much():
    verdict = judge(CHURNED, FLAT, to_beat={"inactivity rule": TRUTH})
    assert not verdict.passed
    assert str(verdict).startswith("FAILED: log loss 0.6931, inactivity rule 0.5003")


def test_the_champion_itself_passes_again():
    assert judge(CHURNED, TRUTH, to_beat={"p_no_purchase": FLAT}, champion=TRUTH).passed


def test_worse_than_the_champion_by_chance_alone_passes():
    noise = np.random.default_rng(0).normal(0, 0.001, 3000)
    nearly = (TRUTH + noise).clip(0.001, 0.999)
    assert judge(CHURNED, nearly, to_beat={}, champion=TRUTH).passed


def test_clearly_worse_than_the_champion_fails():
    assert not judge(CHURNED, TRUTH.clip(0.2, 0.8), to_beat={}, champion=TRUTH).passed


def test_a_level_that_is_off_by_chance_passes_if_the_ranking_is_better():
    few, labels, flat = TRUTH[:150], CHURNED[:150], FLAT[:150]
    moved = (judge(labels, expit(logit(few) + by), to_beat={"flat": flat}) for by in SHIFTS)
    just_above = next(v for v in moved if v.comparisons[0].difference > 0)
    assert just_above.comparisons[0].low < 0
    assert just_above.passed
    ranks_worse = judge(labels, 1 - few, to_beat={"flat": flat})
    assert not ranks_worse.passed


def test_a_tie_with_a_baseline_that_nothing_can_beat_passes():
    noise = np.random.default_rng(2).normal(0, 0.02, 3000)
    nearly = expit(logit(TRUTH) + noise)
    compared = judge(CHURNED, nearly, to_beat={"p_no_purchase": TRUTH}).comparisons[0]
    assert compared.other_auc > compared.challenger_auc
    assert 0 < compared.difference < 0.001
    assert compared.passed


def test_noise_is_not_ahead_of_the_share_that_churned():
    base = pd.Series(np.full(3000, CHURNED.mean()))
    passed, ranked_better = 0, 0
    for seed in range(40):
        noise = pd.Series(np.random.default_rng(seed).normal(0, 0.05, 3000))
        compared = judge(CHURNED, expit(logit(base) + noise), to_beat={"base_rate": base})
        passed += compared.comparisons[0].passed
        ranked_better += compared.comparisons[0].challenger_auc > 0.5
    assert ranked_better > 10
    assert passed <= 4  # of 40: at most one in twenty is meant
    assert judge(CHURNED, TRUTH, to_beat={"base_rate": base}).passed


def test_interval_covers_the_mean_difference_and_is_repeatable():
    first, second = (judge(CHURNED, TRUTH, to_beat={"flat": FLAT}) for _ in range(2))
    comparison = first.comparisons[0]
    assert comparison.low < comparison.difference < comparison.high
    assert first == second
    spread = (comparison.high - comparison.low) / (2 * 1.645)
    exact = np.std(np.log(0.5) - np.log(np.where(CHURNED, TRUTH, 1 - TRUTH))) / np.sqrt(3000)
    assert spread == pytest.approx(exact, rel=0.1)


VOUCHER = Action(name="voucher", contact_cost=2, offer_cost=10, accept_rate=0.3)
VALUE = pd.Series(np.random.default_rng(6).gamma(2, 30, 3000))


def in_money(challenger, other, **asked):
    money = Money(VALUE, [VOUCHER])
    return judge(CHURNED, challenger, to_beat={}, champion=other, money=money, **asked)


def test_contacts_that_bring_less_than_the_champions_are_refused():
    far_too_low = TRUTH.clip(upper=0.3)  # hardly anybody is worth a contact
    verdict = in_money(far_too_low, TRUTH, slopes=(0.01, 99))
    (compared,) = verdict.net_values
    assert not compared.passed
    assert compared.high < 0
    assert compared.difference == pytest.approx(
        compared.challenger_net_value - compared.other_net_value
    )
    assert "FAILED: net value per customer" in str(verdict)
    assert in_money(TRUTH, far_too_low).passed


def test_net_value_is_counted_by_the_label():
    (compared,) = in_money(TRUTH, FLAT).net_values
    contacted = TRUTH > 12 / (0.3 * (VALUE - 10) + 10)  # contact and offer, over what is gained
    brought = np.where(CHURNED == 1, 0.3 * (VALUE - 10) - 2, -12.0)
    assert compared.challenger_net_value == pytest.approx((contacted * brought).mean())


def test_the_champion_itself_passes_again_in_money():
    (compared,) = in_money(TRUTH, TRUTH).net_values
    assert (compared.difference, compared.low, compared.high) == (0, 0, 0)
    assert compared.passed


def test_probabilities_far_too_bold_are_refused_whatever_they_beat():
    bold = pd.Series(expit(2.5 * logit(TRUTH)))
    verdict = judge(CHURNED, bold, to_beat={"flat": pd.Series(np.full(3000, 0.02))})
    assert verdict.comparisons[0].passed
    assert not verdict.calibration.passed
    assert not verdict.passed
    assert judge(CHURNED, bold, to_beat={}, slopes=(0.2, 5)).passed


def test_what_is_told_as_json_has_every_number():
    verdict = in_money(TRUTH, FLAT, champion_in_force="4")
    told = json.loads(json.dumps(verdict.to_dict()))
    assert told["passed"] is True
    assert told["champion_in_force"] == "4"
    assert told["rows"] == 3000
    assert told["net_values"][0]["other"] == "champion"
    assert told["calibration"]["slope"] == pytest.approx(1, abs=0.1)
    assert len(verdict.tags()["gate.verdict"].splitlines()) == 3
