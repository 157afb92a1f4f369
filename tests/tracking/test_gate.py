import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from patronage.tracking.gate import judge

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


def test_interval_covers_the_mean_difference_and_is_repeatable():
    first, second = (judge(CHURNED, TRUTH, to_beat={"flat": FLAT}) for _ in range(2))
    comparison = first.comparisons[0]
    assert comparison.low < comparison.difference < comparison.high
    assert first == second
    spread = (comparison.high - comparison.low) / (2 * 1.645)
    exact = np.std(np.log(0.5) - np.log(np.where(CHURNED, TRUTH, 1 - TRUTH))) / np.sqrt(3000)
    assert spread == pytest.approx(exact, rel=0.1)
