"""The statistics that rules share, against plain loops and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.judge.series import Series, trend

ANY = st.floats(allow_nan=True, allow_infinity=True)
LISTS = st.lists(ANY, max_size=60)
FINITE = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=60)
NAN = float("nan")


def test_one_number_is_a_series_of_one_point():
    assert Series.of(3.5).steps.tolist() == [0] and Series.of(3.5).last == 3.5


def test_steps_follow_every_or_are_given():
    assert Series.of([1, 2, 3], every=10).steps.tolist() == [0, 10, 20]
    assert Series.of([1, 2], steps=[4, 9]).steps.tolist() == [4, 9]


def test_first_and_last_of_nothing_are_nan():
    assert np.isnan(Series.of([]).first) and np.isnan(Series.of([]).last)


@given(LISTS)
def test_finite_keeps_just_the_finite_points_with_their_steps(values: list[float]):
    kept = Series.of(values).finite()
    assert kept.steps.tolist() == [i for i, v in enumerate(values) if np.isfinite(v)]
    assert np.isfinite(kept.values).all()


def test_finite_drops_a_vector_that_holds_any_nan():
    assert Series.of([[1.0, NAN], [1.0, 2.0]]).finite().values.tolist() == [[1.0, 2.0]]


def test_head_and_tail_take_what_there_is():
    s = Series.of([1, 2, 3])
    assert s.head(2).values.tolist() == [1, 2] and s.tail(2).values.tolist() == [2, 3]
    assert len(s.tail(0)) == 0 and len(s.head(9)) == len(s.tail(9)) == 3


def test_between_includes_both_ends():
    assert Series.of([1, 2, 3, 4], every=5).between(5, 10).values.tolist() == [2, 3]


def test_without_leaves_out_the_named_steps():
    assert Series.of([1, 2, 3]).without(np.array([1, 7])).values.tolist() == [1, 3]


def test_at_gives_the_last_value_recorded_up_to_a_step():
    s = Series.of([10, 20, 30], steps=[5, 7, 9])
    assert s.at(np.array([0, 5, 6, 7, 100])).tolist() == [10, 10, 10, 20, 30]


@given(FINITE)
def test_median_is_that_of_the_sorted_values(values: list[float]):
    ordered, n = sorted(values), len(values)
    assert Series.of([*values, NAN]).median() == pytest.approx((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


def test_spread_and_noise_of_normal_values_are_their_standard_deviation():
    values = np.random.default_rng(0).normal(5, 0.3, 4000)
    assert Series.of(values).spread() == pytest.approx(0.3, rel=0.05)
    assert Series.of(values).noise() == pytest.approx(0.3, rel=0.05)


def test_noise_ignores_a_straight_trend_that_spread_counts():
    values = np.arange(400) * 0.5
    assert Series.of(values).noise() == pytest.approx(0) and Series.of(values).spread() > 50


def test_noise_of_two_points_is_unknown():
    assert np.isnan(Series.of([1, 2]).noise())


def test_geometric_mean_leaves_out_what_has_no_logarithm():
    assert Series.of([1, 100, 0, -3, NAN]).geometric_mean() == pytest.approx(10)
    assert np.isnan(Series.of([0, 0]).geometric_mean())


@given(FINITE, st.integers(1, 30))
def test_blocks_are_as_many_as_asked_and_lie_within_the_values(values: list[float], n: int):
    blocks = Series.of(values).blocks(n)
    assert len(blocks) == min(n, len(values))
    assert min(values) - 1e-6 <= blocks.min() and blocks.max() <= max(values) + 1e-6


def test_one_spike_in_ten_points_moves_no_block():
    values = [1.0] * 10 + [1.0] * 9 + [1e9]
    assert Series.of(values).blocks(2).tolist() == [1.0, 1.0]


def test_blocks_and_halves_of_nothing_do_not_fail():
    assert len(Series.of([]).blocks(5)) == 0
    assert all(np.isnan(x) for x in Series.of([]).halves())


def test_halves_see_a_fall_that_exceeds_the_noise_and_none_that_does_not():
    noise = np.random.default_rng(1).normal(0, 0.1, 2000)
    first, second, error = Series.of(1 - np.arange(2000) / 10_000 + noise).halves()
    assert first - second == pytest.approx(0.1, abs=0.02) and first - second > 5 * error
    first, second, error = Series.of(1 + noise).halves()
    assert abs(first - second) < 3 * error


def test_the_error_of_halves_is_the_scatter_that_repeated_runs_show():
    rng = np.random.default_rng(2)
    runs = [Series.of(rng.normal(0, 1, 400)).halves() for _ in range(300)]
    assert np.std([a - b for a, b, _ in runs]) == pytest.approx(np.mean([e for *_, e in runs]), rel=0.15)


def test_smooth_is_a_running_median_dated_at_the_windows_end():
    s = Series.of([1, 9, 1, 1, 9]).smooth(3)
    assert s.values.tolist() == [1, 1, 1] and s.steps.tolist() == [2, 3, 4]
    assert Series.of([1, 2]).smooth(3).values.tolist() == [1, 2]


def test_fall_compares_the_ends():
    assert Series.of(np.linspace(2, 1, 101)).fall() == pytest.approx(0.91, abs=0.01)
    assert Series.of([1, 1, 5]).fall() == -4 and np.isnan(Series.of([NAN]).fall())


def test_onset_is_the_first_step_that_holds():
    s = Series.of([0, 1, 0, 1, 1, 1], every=2)
    assert s.onset(s.values > 0) == 2 and s.onset(s.values > 0, hold=3) == 6
    assert s.onset(s.values > 0, hold=4) is None and s.onset(s.values > 5) is None


@given(st.lists(st.floats(-1e3, 1e3), max_size=30))
def test_trend_lies_between_minus_one_and_one_and_turns_with_the_values(values: list[float]):
    v = np.array(values)
    assert -1 <= trend(v) <= 1 and trend(-v) == pytest.approx(-trend(v))


def test_trend_is_one_only_for_what_always_rises():
    assert trend(np.arange(9.0)) == 1 and trend(-np.arange(9.0)) == -1 and trend(np.ones(9)) == 0
    assert abs(trend(np.random.default_rng(3).normal(size=100))) < 0.2


@given(LISTS)
def test_no_statistic_fails_on_whatever_was_recorded(values: list[float]):
    s = Series.of(values)
    with np.errstate(all="ignore"):
        for result in (s.median(), s.spread(), s.noise(), s.geometric_mean(), s.fall(), *s.halves()):
            assert isinstance(result, float)
        assert len(s.smooth(3)) <= len(s) and len(s.blocks(7)) <= 7


def test_noise_that_is_not_robust_sees_the_jumps_of_what_mostly_stands_still():
    values = np.repeat([0.1, 0.1, 0.1, 0.1, 0.3], 8)
    assert Series.of(values).noise() == 0 and Series.of(values).noise(robust=False) > 0.01
    rng = np.random.default_rng(4)
    assert Series.of(rng.normal(0, 0.3, 4000)).noise(robust=False) == pytest.approx(0.3, rel=0.05)


def test_fallen_is_the_share_of_the_start_that_is_gone():
    assert Series.of(np.linspace(2, 0, 200)).fallen() == pytest.approx(0.95, abs=0.06)
    assert Series.of([1.0] * 50).fallen() == 0 and Series.of(np.linspace(1, 3, 100)).fallen() < -1
    assert Series.of([]).fallen() == 0


def test_a_run_that_is_thrown_up_at_once_has_not_fallen_when_it_comes_back():
    assert Series.of([2.3, 900.0, 800.0, *[2.4] * 40]).fallen() == pytest.approx(-0.04, abs=0.01)


def test_trend_of_a_long_series_compares_an_even_choice():
    assert trend(np.arange(1e5)) == 1
