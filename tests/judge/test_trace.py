"""What one run recorded, as rules see it."""

from __future__ import annotations

import math

import pytest

from torchdoctor.judge.chance import MEASURED, chance_levels
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def test_of_takes_numbers_lists_series_and_subjects():
    trace = Trace.of({"a": 1}, loss=[2, 1], start_loss=2.3, dead_share={"fc": [0.5]}, lr=Series.of([1], every=3))
    assert trace["loss"].values.tolist() == [2, 1] and trace.value("start_loss") == 2.3
    assert trace.value("dead_share", "fc") == 0.5 and trace.facts == {"a": 1}


def test_what_was_not_recorded_is_empty_and_not_there():
    trace = Trace.of(loss=[])
    assert not trace.has("loss") and not trace.has("grad_norm")
    assert len(trace["grad_norm"]) == 0 and trace.value("grad_norm") is None and list(trace.each("x")) == []


def test_each_keeps_the_order_of_recording():
    assert [name for name, _ in Trace.of(weight_norm={"z": [1], "a": [1]}).each("weight_norm")] == ["z", "a"]


def test_last_step_is_that_of_any_signal():
    assert Trace.of(loss=[1, 2], val_loss=Series.of([1], steps=[40])).last_step == 40 and Trace({}).last_step == 0


def test_taken_leaves_out_the_steps_a_scaler_skipped():
    assert Trace.of(loss=[9, 1, 2], skipped_step=[1, 0, 0]).taken("loss").values.tolist() == [1, 2]
    assert Trace.of(loss=[9, 1]).taken("loss").values.tolist() == [9, 1]


def test_a_network_takes_turns_when_its_gradients_are_thrown_away_in_most_steps():
    assert Trace.of({"turns": 99, "steps": 100}).takes_turns
    assert not Trace.of({"turns": 1, "steps": 100}).takes_turns and not Trace({}).takes_turns


def test_merged_holds_both_and_the_second_counts():
    merged = Trace.of({"a": 1, "b": 1}, loss=[1], start_loss=2).merged(Trace.of({"b": 2}, loss=[5, 6], lr={"0": 1}))
    assert merged["loss"].values.tolist() == [5, 6] and merged.value("start_loss") == 2
    assert merged.value("lr", "0") == 1 and merged.facts == {"a": 1, "b": 2}


def test_merged_joins_subjects_of_one_signal():
    merged = Trace.of(weight_norm={"a": [1]}).merged(Trace.of(weight_norm={"b": [2]}))
    assert [name for name, _ in merged.each("weight_norm")] == ["a", "b"]


@pytest.mark.parametrize(("output", "target"), [([32, 10], [32]), ([8, 10, 4, 4], [8, 4, 4])])
def test_guessing_one_of_ten_classes_scores_the_logarithm_of_ten(output: list[int], target: list[int]):
    levels = chance_levels(Trace.of({"loss_shapes": {"output": output, "target": target}}))
    assert levels == {"guessing one of 10 classes": math.log(10)}


def test_guessing_the_mean_scores_the_variance():
    assert chance_levels(Trace.of(target_mean=[3.0], target_std=[2.0])) == {"always answering the mean": 4.0}


def test_the_variance_of_a_few_hard_batches_is_corrected_by_their_loss():
    loss = [4.0] * 100
    loss[90] = loss[95] = 5.0  # the two batches whose targets were recorded scatter more than the others
    std = Series.of([5**0.5, 5**0.5], steps=[90, 95])
    level = chance_levels(Trace.of(loss=loss, target_mean=[0.0], target_std=std))["always answering the mean"]
    assert level == pytest.approx(4.0, rel=0.01)


def test_guessing_ones_and_zeros_scores_their_entropy():
    levels = chance_levels(Trace.of(target_mean=[0.2], target_std=[0.4], target_absmax=[1.0]))
    assert levels["guessing by the share of ones"] == pytest.approx(0.5004, abs=1e-4)
    assert levels["guessing yes or no"] == pytest.approx(math.log(2))


def test_a_measured_prior_is_named_first():
    assert next(iter(chance_levels(Trace.of(prior_loss=0.7, target_mean=[3.0], target_std=[2.0])))) == MEASURED


@pytest.mark.parametrize("facts", [{}, {"loss_shapes": {"output": [32, 1], "target": [32]}}, {"loss_shapes": {}}])
def test_where_nothing_tells_no_level_is_named(facts: dict[str, object]):
    assert chance_levels(Trace.of(facts, loss=[1.0])) == {}


def test_a_trace_is_asked_for_a_name_and_gives_its_names():
    trace = Trace.of(loss=[2.0, 1.0], grad_norm=[1.0])
    assert "loss" in trace and "val_loss" not in trace and 0 not in trace
    assert sorted(trace) == ["grad_norm", "loss"]
