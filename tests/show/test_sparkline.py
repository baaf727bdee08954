from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from torchdoctor.judge.series import Series
from torchdoctor.show.sparkline import BARS, NOT_FINITE, ends, sparkline
from torchdoctor.show.words import number

FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True)


@given(arrays(np.float64, st.integers(0, 200), elements=FLOATS), st.integers(1, 60))
def test_any_series_becomes_at_most_width_known_characters(values: np.ndarray, width: int) -> None:
    line = sparkline(Series.of(values), width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BARS + NOT_FINITE)


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=FLOATS))
def test_a_vector_per_step_is_drawn_too(values: np.ndarray) -> None:
    series = Series(np.arange(len(values)), values)
    assert len(sparkline(series)) == len(values)
    assert ends(series)


def test_the_smallest_value_is_the_lowest_bar_and_the_largest_the_highest() -> None:
    assert sparkline(Series.of([3.0, 1.0, 2.0, 8.0])) == "▃▁▂█"


def test_a_spike_of_one_step_in_ten_thousand_is_seen() -> None:
    values = np.ones(10_000)
    values[5_000] = 50
    assert sparkline(Series.of(values)).count("█") == 1


def test_one_nan_marks_its_stretch() -> None:
    values = np.linspace(2, 1, 320)
    values[-1] = np.nan
    line = sparkline(Series.of(values))
    assert line[-1] == NOT_FINITE and NOT_FINITE not in line[:-1]


def test_growth_over_many_decades_is_a_slope_not_a_last_bar() -> None:
    assert sparkline(Series.of([10.0**k for k in range(8)])) == BARS


def test_a_constant_series_lies_in_the_middle() -> None:
    assert sparkline(Series.of([5.0] * 3)) == "▄▄▄"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3, "3"), (1797.0, "1,797"), (2.302585, "2.3"), (0.01234, "0.0123"), (1234.5, "1,234"),
     (1.2e-5, "1.2e-5"), (4.2e9, "4.2e9"), (float("nan"), "NaN"), (float("-inf"), "-∞"), ("fc1", "fc1")],
)  # fmt: skip
def test_numbers_are_short(value: object, text: str) -> None:
    assert number(value) == text
