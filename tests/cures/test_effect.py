"""Intervals, and what they may claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from torchdoctor.cures.effect import Effect, Ruler, effect_of

LARGE = Ruler(samples=10**9)
shares = st.floats(0, 1)
runs = st.lists(st.tuples(shares, shares), min_size=2, max_size=8)


def effect(pairs: list[tuple[float, float]], ruler: Ruler = LARGE) -> Effect:
    return effect_of({i: a for i, (a, _) in enumerate(pairs)}, {i: b for i, (_, b) in enumerate(pairs)}, ruler)


@given(runs)
def test_the_interval_is_that_of_a_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs)
    found = effect(pairs)
    if np.std(np.subtract(a, b)) < 1e-6:  # scipy warns of cancellation there
        return
    expected = ttest_rel(a, b).confidence_interval(0.95)

    assert found.low == pytest.approx(min(expected.low, found.mean - LARGE.blur(found.mean)), abs=1e-9)
    assert found.high == pytest.approx(max(expected.high, found.mean + LARGE.blur(found.mean)), abs=1e-9)


@given(runs)
def test_the_mirror_image_of_a_race_has_the_mirrored_effect(pairs: list[tuple[float, float]]) -> None:
    there, back = effect(pairs), effect([(b, a) for a, b in pairs])

    assert (back.mean, back.low) == pytest.approx((-there.mean, -there.high))
    assert not (there.proven and there.harmful)


@given(shares, shares)
def test_one_seed_proves_nothing(a: float, b: float) -> None:
    assert not effect([(a, b)]).proven


@pytest.mark.parametrize(("more", "proven"), [(1, False), (3, False), (4, True), (10, True)])
def test_seeds_that_agree_on_a_few_samples_more_prove_nothing(more: int, proven: bool) -> None:
    """Three seeds and a validation set of 20: McNemar asks for four samples that changed sides."""
    assert effect([(0.4 + more / 20, 0.4)] * 3, Ruler(20)).proven is proven


def test_a_run_that_broke_counts_as_the_floor_and_does_not_hide_the_others() -> None:
    broken = effect([(0.9, math.nan), (0.91, -1e30), (0.9, -0.5)], Ruler(100, "r2"))

    assert broken.mean == pytest.approx((1.9 + 1.91 + 1.4) / 3)
    assert broken.proven


def test_only_seeds_that_both_arms_ran_count() -> None:
    assert effect_of({0: 1.0, 1: 1.0, 2: 1.0}, {1: 0.0}, LARGE).seeds == 1
    assert effect_of({}, {}, LARGE) == Effect(0.0, -math.inf, math.inf, 0)


@pytest.mark.parametrize(("score", "chance"), [(0.11, True), (0.1, True), (math.nan, True), (0.3, False)])
def test_a_score_at_chance_is_told_from_one_that_is_not(score: float, chance: bool) -> None:
    assert Ruler(400, chance=0.1).is_chance(score) is chance


def test_of_a_users_own_score_nobody_knows_the_chance() -> None:
    assert not Ruler(400, "own").is_chance(-5.0)


def test_a_users_own_score_has_no_floor_but_a_broken_run_is_the_worst() -> None:
    losses = effect_of({0: -50.0, 1: -51.0, 2: -52.0}, {0: -90.0, 1: math.nan, 2: -91.0}, Ruler(10**6, "own"))

    assert losses.mean == pytest.approx((40 + 40 + 39) / 3)
    assert losses.proven
