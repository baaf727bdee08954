"""Every measure against a slow, obvious one or scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.calibration import (
    calibration,
    calibration_error,
    calibration_noise,
    reliability,
    temperature,
)
from torchdoctor.evaluate.classes import averages, class_scores, confusion, curves
from torchdoctor.evaluate.numbers import residuals
from torchdoctor.evaluate.reading import Reading
from torchdoctor.evaluate.samples import hard, suspects, worst
from torchdoctor.evaluate.slices import groups_of, sliced


def answers(logits, truth, columns=None, means="scores"):
    """As a pass over a loader would give them."""
    logits, truth = torch.as_tensor(np.asarray(logits)).double(), torch.as_tensor(np.asarray(truth))
    reading = Reading(means)
    surprise = reading.surprise(logits, truth).numpy()
    outputs = logits if means == "numbers" else reading.log_odds(logits)
    rows = np.arange(len(truth))
    return Answers(reading, outputs.numpy(), truth.numpy(), surprise, 0.0, 0.0, rows, columns or {})


def guesses(n=400, classes=4, skill=2.0, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, n)
    return answers(random.normal(size=(n, classes)) + skill * np.eye(classes)[truth], truth)


@given(seed=st.integers(0, 100), skill=st.floats(0, 3))
@settings(max_examples=15, deadline=None)
def test_precision_recall_and_f1_are_those_of_scikit_learn_and_lie_in_their_intervals(seed, skill):
    a = guesses(seed=seed, skill=skill)
    found = class_scores(confusion(a, 4), list("abcd"))
    for k, c in enumerate(found):
        assert c.count == (a.truth == k).sum()
        for interval, measure in ((c.precision, precision_score), (c.recall, recall_score), (c.f1, f1_score)):
            reference = measure(a.truth, a.guesses, labels=[k], average="macro", zero_division=np.nan)
            assert interval.value == pytest.approx(reference, nan_ok=True)
            assert math.isnan(reference) or interval.low <= reference <= interval.high


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), skill=st.floats(0, 2))
def test_the_averages_over_classes_are_those_of_scikit_learn_and_lie_in_their_intervals(seed, skill):
    given = guesses(classes=5, skill=skill, seed=seed)
    found = averages(confusion(given, 6), seed=0)  # the sixth class is there in name alone
    assert found["macro F1"].value == pytest.approx(f1_score(given.truth, given.guesses, average="macro"))
    assert found["weighted F1"].value == pytest.approx(f1_score(given.truth, given.guesses, average="weighted"))
    assert found["balanced accuracy"].value == pytest.approx(balanced_accuracy_score(given.truth, given.guesses))
    assert all(i.low <= i.value <= i.high for i in found.values())


def test_an_average_over_classes_without_a_mistake_has_no_ends():
    found = averages(np.diag([5, 7, 0]))
    assert all(i.value == 1 and math.isnan(i.low) and math.isnan(i.high) for i in found.values())


def test_a_rare_class_that_is_never_found_lowers_the_macro_average_and_hardly_the_weighted_one():
    found = averages(np.asarray([[95, 0], [5, 0]]))
    assert found["macro F1"].value < 0.5 < 0.9 < found["weighted F1"].value
    assert found["balanced accuracy"].value == 0.5


def test_a_perfect_class_is_not_shown_as_certain():
    perfect = class_scores(np.diag([18, 18]), ["a", "b"])[0]
    assert perfect.f1.value == 1 and 0.85 < perfect.f1.low < 0.95


def test_the_areas_are_those_of_scikit_learn_and_the_curves_run_from_corner_to_corner():
    a = guesses()
    for k, c in enumerate(curves(a, list("abcd"))):
        assert c.roc_area == pytest.approx(roc_auc_score(a.truth == k, a.probabilities[:, k]), abs=1e-3)
        assert c.roc[0] == (0, 0) and c.roc[-1] == (1, 1) and len(c.roc) <= 121 and 0 < c.pr_area <= 1
        x, y = zip(*c.roc)
        assert np.trapezoid(y, x) == pytest.approx(c.roc_area, abs=0.01)


def test_two_classes_have_one_curve_and_a_class_that_is_absent_has_none():
    assert [c.name for c in curves(guesses(classes=2), ["no", "yes"])] == ["yes"]
    a = guesses(classes=3)
    only = a.at(np.flatnonzero(a.truth < 2))
    assert [c.name for c in curves(only, list("abc"))] == ["a", "b"]


def slow_error(confidence, right, bins):
    """Guo et al.'s formula, bin by bin."""
    total = 0.0
    for k in range(bins):
        inside = [i for i, c in enumerate(confidence) if k / bins < c <= (k + 1) / bins]
        if inside:
            gap = sum(right[i] for i in inside) / len(inside) - sum(confidence[i] for i in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(gap)
    return total


@given(seed=st.integers(0, 1000), bins=st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_the_calibration_error_is_the_formula(seed, bins):
    random = np.random.default_rng(seed)
    confidence, right = random.uniform(0.01, 1, 100), random.random(100) < 0.7
    assert calibration_error(confidence, right, bins) == pytest.approx(slow_error(confidence, right, bins))
    assert sum(b.count for b in reliability(confidence, right, bins)) == 100


def test_the_calibration_error_is_that_of_torchmetrics():
    metrics = pytest.importorskip("torchmetrics.functional.classification")
    a = guesses(skill=1.0)
    p, truth = torch.from_numpy(a.probabilities), torch.from_numpy(a.truth)
    reference = float(metrics.multiclass_calibration_error(p, truth, 4, n_bins=15, norm="l1"))
    assert calibration_error(a.confidence, a.right) == pytest.approx(reference, abs=1e-6)


def test_a_calibrated_model_stays_under_its_noise_and_an_overconfident_one_does_not():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 1000)
    right = random.random(1000) < confidence
    assert calibration_error(confidence, right) < calibration_noise(confidence) * 1.1
    sure = np.minimum(1, confidence + 0.2)
    assert calibration_error(sure, right) > 2 * calibration_noise(sure)
    few = calibration_noise(confidence[:50])
    assert few > 2 * calibration_noise(confidence)


@pytest.mark.parametrize("heat", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again_and_mends_the_error(heat):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 5))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([random.choice(5, p=row) for row in p])
    a = answers(logits * heat, truth)
    assert temperature(a.log_odds, a.truth) == pytest.approx(heat, rel=0.08)
    first, second = a.at(np.arange(2000)), a.at(np.arange(2000, 4000))
    found = calibration(second, first)
    assert found.loss_after <= found.loss_before + 1e-3
    if heat != 1:
        assert found.error_after < found.error / 3 and abs(found.gap) > 0.05
        assert (found.gap > 0) == (heat > 1)


def test_residuals_are_the_formulas():
    random = np.random.default_rng(0)
    truth = random.normal(5, 2, (300, 1))
    given_ = truth + 0.5 + random.normal(0, 1, (300, 1))
    found = residuals(answers(given_, truth, means="numbers"))
    off = given_ - truth
    assert found.mae.value == pytest.approx(np.abs(off).mean())
    assert found.rmse.value == pytest.approx(math.sqrt((off**2).mean()))
    assert found.r2.value == pytest.approx(1 - (off**2).mean() / truth.var())
    assert found.bias.low < 0.5 < found.bias.high and found.quantiles[2] == pytest.approx(np.median(off))


def test_a_slice_that_is_worse_is_marked_and_chance_is_not():
    a = guesses(n=1200, skill=3.0)
    light = np.random.default_rng(1).random(1200)
    spoilt = a.outputs.copy()
    spoilt[light > 0.75] = np.roll(spoilt[light > 0.75], 1, axis=1)
    town = np.where(np.arange(1200) % 2, "Paris", "Rome")
    made = answers(spoilt, a.truth, {"light": light, "town": town})
    found = {(s.column, s.group): s for s in sliced(made, list("abcd"))}
    worse = {key for key, s in found.items() if s.worse}
    assert {column for column, _ in worse} == {"light"} and len(worse) == 1
    ((_, group),) = worse
    assert group.startswith("4 of 4") and found["light", group].p_value < 1e-6
    assert ("town", "Rome") in found and ("class", "a") in found


@given(values=st.lists(st.one_of(st.floats(-5, 5), st.integers(-3, 3).map(float)), min_size=1, max_size=80))
def test_the_groups_of_a_column_hold_every_sample_once(values):
    inside = np.stack([rows for _, rows in groups_of(np.array(values))])
    assert (inside.sum(0) == 1).all()


def test_worst_are_wrong_and_sure_hard_are_near_the_edge():
    a = guesses()
    bad = worst(a, list("abcd"), 10)
    assert all(s.truth != s.guess for s in bad) and [s.surprise for s in bad] == sorted(
        (s.surprise for s in bad), reverse=True
    )
    near = hard(a, list("abcd"), 10)
    assert [s.margin for s in near] == sorted(s.margin for s in near)
    best = np.sort(a.probabilities, 1)
    assert near[0].margin == pytest.approx((best[:, -1] - best[:, -2]).min())
    assert near[0].entropy == pytest.approx(-(a.probabilities[near[0].index] * a.log_odds[near[0].index]).sum())


def test_labels_that_were_swapped_are_under_suspicion():
    pytest.importorskip("cleanlab")
    a = guesses(n=600, skill=5.0)
    wrong = a.truth.copy()
    wrong[:20] = (wrong[:20] + 1) % 4
    found, count = suspects(answers(a.outputs, wrong), list("abcd"), 100)
    named = {s.index for s in found}
    assert len(named & set(range(20))) >= 17 and count <= 30
