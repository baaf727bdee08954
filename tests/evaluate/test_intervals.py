"""Intervals hold the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.evaluate.compare import compared_hits, compared_numbers, explained
from torchdoctor.evaluate.interval import bootstrap, counted, percentile, wilson


@given(count=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_is_the_set_of_shares_that_the_score_test_does_not_reject(count, share):
    hits = round(share * count)
    found = wilson(hits, count)
    assert 0 <= found.low <= found.value == hits / count <= found.high <= 1
    for end in (found.low, found.high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(found.value - end) / math.sqrt(end * (1 - end) / count) == pytest.approx(1.95996, abs=1e-3)


def test_a_share_of_nothing_is_unknown():
    assert math.isnan(wilson(0, 0).value) and math.isnan(wilson(0, 0).low)


def test_a_bootstrap_holds_the_mean_about_nineteen_times_in_twenty_and_repeats_itself():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        found = bootstrap(np.mean, [random.normal(3, 1, 60)], times=200)
        held += found.low <= 3 <= found.high
    assert 86 <= held <= 100
    sample = [random.normal(size=40)]
    assert bootstrap(np.mean, sample, seed=5, times=100) == bootstrap(np.mean, sample, seed=5, times=100)


def test_resampling_counts_is_resampling_samples():
    cells = np.array([30, 10])
    shares = counted(lambda draws: draws[:, 0] / draws.sum(1), cells, times=4000)
    plain = np.random.default_rng(1).choice([1.0, 0.0], p=[0.75, 0.25], size=(4000, 40)).mean(1)
    assert shares.std() == pytest.approx(plain.std(), rel=0.05) and shares.mean() == pytest.approx(0.75, abs=0.01)
    assert percentile(0.75, np.array([math.nan, 0.5, 1.0])).low == pytest.approx(0.5125)


def test_mcnemar_is_the_binomial_test_of_the_samples_that_only_one_has_right():
    model = np.array([True] * 15 + [False] * 5 + [True] * 40)
    other = np.array([False] * 15 + [True] * 5 + [True] * 40)
    found = compared_hits("other", model, other)
    tail = sum(math.comb(20, k) for k in range(15, 21)) / 2**20
    assert found.p_value == pytest.approx(2 * tail)
    assert (found.only_model, found.only_other) == (15, 5)
    assert found.lead.value == pytest.approx(10 / 60) and found.lead.low > 0 and found.lead.high < 0.35


def test_equal_models_lead_by_nothing():
    right = np.arange(50) % 3 > 0
    found = compared_hits("same", right, right)
    assert found.p_value == 1 and (found.lead.low, found.lead.value, found.lead.high) == (0, 0, 0)


def test_numbers_are_compared_by_r2_and_the_better_leads():
    random = np.random.default_rng(0)
    truth = random.normal(size=(200, 2))
    near, far = (truth + random.normal(0, s, truth.shape) for s in (0.1, 0.6))
    found = compared_numbers("far", truth, near, far)
    assert found.lead.low > 0.2 and found.p_value < 1e-6
    assert found.score.value == pytest.approx(explained(truth, far))
    assert compared_numbers("same", truth, near, near).p_value == 1
    assert math.isnan(explained(np.ones((3, 1)), np.zeros((3, 1))))


def test_resamples_on_which_nothing_is_defined_are_left_out_without_a_warning():
    truth = np.zeros(12)
    truth[0] = 1
    found = bootstrap(lambda t: float(t.mean()) if t.any() else float("nan"), (truth,), times=200)
    assert 0 < found.low <= found.high < 1
