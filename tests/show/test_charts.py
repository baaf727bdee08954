"""What charts are asked to draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.show.charts.curves import LINES, curves, stack
from torchdoctor.show.charts.effects import Effect, effects
from torchdoctor.show.charts.heat import heat
from torchdoctor.show.charts.marks import marks_of
from torchdoctor.show.charts.option import Option
from torchdoctor.show.charts.run import pictures
from torchdoctor.show.texts import texts

T = texts("en")


def curve(values: object, **options: float) -> Option:
    drawn = curves({"g": Series.of(values)}, T, **options)
    assert drawn is not None
    return drawn


def labels(option: Option) -> list[str]:
    return [mark["name"] for mark in option["series"][0]["markLine"]["data"]]


def test_a_curve_keeps_both_ends_and_a_spike_of_one_step() -> None:
    values = np.ones(100_000)
    values[777] = 9
    points = curve(values)["series"][0]["data"]
    assert len(points) < 1100 and [777, 9.0] in points and points[0][0] == 0 and points[-1][0] == 99_999


def test_a_curve_over_many_powers_of_ten_is_drawn_by_its_logarithm() -> None:
    assert curve([1.0, 10.0, 100.0])["yAxis"]["type"] == "value"
    assert curve([1.0, 10.0, 1e6])["yAxis"]["type"] == "log"
    assert curve([-1.0, 10.0, 1e6])["yAxis"]["type"] == "value"


def test_a_gradient_norm_that_falls_by_more_than_one_power_of_ten_is_drawn_by_its_logarithm() -> None:
    trace = Trace.of(loss=[2.0, 0.1, 0.05], grad_norm=[2.0, 0.1, 0.05])
    drawn = pictures(lambda *_: trace, [], T)
    assert drawn["curve-grad_norm"]["yAxis"]["type"] == "log" and drawn["curve-loss"]["yAxis"]["type"] == "value"


def test_a_zero_does_not_press_the_others_flat_and_is_marked() -> None:
    drawn = curve([2.0, 1e-3, 0.0, 1e-5, 0.0])
    assert drawn["yAxis"]["type"] == "log" and drawn["series"][0]["data"][2] == [2, None]
    assert labels(drawn) == ["exactly 0"]


def test_what_is_not_finite_is_marked_and_where_nothing_is_there_is_no_curve() -> None:
    assert labels(curve([1.0, math.nan, 2.0, math.inf])) == ["NaN or infinite"]
    assert curves({"g": Series.of([math.nan] * 3)}, T) is None and curves({}, T) is None


def test_more_curves_than_colours_are_not_drawn() -> None:
    drawn = curves({str(i): Series.of([1.0, 2.0]) for i in range(50)}, T)
    assert drawn is not None and len(drawn["series"]) == LINES


def test_findings_that_begin_at_one_step_share_a_mark_in_the_colour_of_the_worst() -> None:
    some = [
        Finding("", steps=(5, 9), severity=severity, code=code)
        for code, severity in (("A1", Severity.WARNING), ("B2", Severity.ERROR), ("C3", Severity.INFO))
    ]
    (mark,) = marks_of(some)
    assert (mark.step, mark.label, mark.colour) == (5, "A1 B2", "$error")


def test_a_stack_holds_the_mean_of_every_stretch() -> None:
    drawn = stack({"data": Series.of(np.tile([1.0, 3.0], 500)), "forward": Series.of(np.ones(1000))}, T)
    assert drawn is not None
    assert [s["name"] for s in drawn["series"]] == ["data", "forward"]
    assert all(abs(value - 2) < 0.1 for _, value in drawn["series"][0]["data"])


def test_a_heat_map_is_by_logarithm_where_values_span_decades_and_red_where_they_are_not_finite() -> None:
    drawn = heat({"a": Series.of([1.0, 1e6]), "b": Series.of([1.0, math.inf])}, T)
    assert drawn is not None
    assert drawn["visualMap"][0]["dimension"] == 3 and [1, 0, 1e6, 6.0] in drawn["series"][0]["data"]
    assert drawn["series"][1]["data"] == [[1, 1, 1]]
    assert heat({"a": Series.of([1.0, 2.0])}, T) is None, "one row is a curve"


@pytest.mark.parametrize("edge", [math.inf, -math.inf, math.nan])
def test_an_effect_whose_interval_has_no_end_is_drawn_to_the_edge(edge: float) -> None:
    known = Effect("a", 0.5, 0.0, 1.0, proven=True)
    drawn = effects([known, Effect("b", 0.2, *sorted((edge, 0.4)), proven=False)], T)
    assert drawn is not None
    bars = {s["name"]: s["data"] for s in drawn["series"] if s["type"] == "line"}
    assert bars["1 a"] == [[0.0, 0], [1.0, 0]] and ("2 b" in bars) == (not math.isnan(edge))
    low, high = drawn["xAxis"]["min"], drawn["xAxis"]["max"]
    assert all(low <= x <= high for bar in bars.values() for x, _ in bar)
    assert effects([Effect("c", math.nan, math.nan, math.nan, proven=False)], T) is None
