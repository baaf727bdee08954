"""The fixed score agrees with scikit-learn, and an output activation does not change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.train.score import Tally, area_under_curve, evaluating, score


def scored(output, target, batch=7):
    """The score of outputs that come in batches."""
    tally = Tally()
    for i in range(0, len(target), batch):
        tally.add(output[i : i + batch], target[i : i + batch])
    return tally.score()


@given(n=st.integers(2, 60), classes=st.integers(2, 6), seed=st.integers(0, 999))
def test_classes_are_scored_by_accuracy_before_and_after_softmax(n, classes, seed):
    torch.manual_seed(seed)
    output, target = torch.randn(n, classes), torch.randint(0, classes, (n,))
    expected = accuracy_score(target, output.argmax(1))
    for shown in (output, output.softmax(1), output.log_softmax(1), output.sigmoid()):
        assert scored(shown, target) == pytest.approx(expected)
    assert scored(output, target[:, None]) == pytest.approx(expected)
    assert scored(output, nn.functional.one_hot(target, classes).float()) == pytest.approx(expected)


@given(n=st.integers(2, 60), steps=st.integers(1, 8), seed=st.integers(0, 999))
def test_one_output_for_0_and_1_is_scored_by_the_area_under_the_curve(n, steps, seed):
    torch.manual_seed(seed)
    output = torch.randint(-steps, steps + 1, (n, 1)) / 2  # many ties
    target = torch.randint(0, 2, (n,))
    if len(target.unique()) == 1:
        assert math.isnan(scored(output, target))
        return
    expected = roc_auc_score(target, output[:, 0])
    for truth in (target, target[:, None].float(), target.bool()):
        assert scored(output, truth) == pytest.approx(expected)
    assert scored(output.sigmoid(), target) == pytest.approx(expected)


def test_several_0_1_columns_are_scored_by_the_mean_area():
    torch.manual_seed(0)
    output, target = torch.randn(50, 4), torch.randint(0, 2, (50, 4)).float()
    assert scored(output, target) == pytest.approx(roc_auc_score(target, output, average="macro"))


@settings(deadline=None)
@given(
    n=st.integers(2, 80),
    columns=st.integers(1, 4),
    offset=st.sampled_from([0.0, 1e3, -1e5]),
    scale=st.sampled_from([1e-2, 1.0, 100.0]),
    seed=st.integers(0, 999),
)
def test_other_numbers_are_scored_by_r2(n, columns, offset, scale, seed):
    random = np.random.default_rng(seed)
    truth = offset + scale * random.normal(size=(n, columns))
    guess = truth + scale * random.normal(size=(n, columns))
    assert scored(torch.tensor(guess), torch.tensor(truth)) == pytest.approx(r2_score(truth, guess), rel=1e-6)


def test_one_output_beside_flat_targets_is_not_broadcast():
    truth = torch.randn(30)
    assert scored(truth[:, None] + 0.1, truth) == pytest.approx(r2_score(truth, truth + 0.1), rel=1e-5)


def test_constant_targets_score_1_when_met_and_else_0():
    truth = torch.full((9, 1), 3.0)
    assert scored(truth, truth) == 1 and scored(truth + 1, truth) == 0


def test_targets_that_begin_with_0_and_1_are_still_numbers():
    truth = torch.cat([torch.tensor([0.0, 1, 1, 0, 1, 0, 1]), torch.arange(2.0, 9)])
    guess = truth + torch.linspace(-1, 1, 14)
    assert scored(guess, truth) == pytest.approx(r2_score(truth, guess))


def test_pictures_are_scored_over_all_their_pixels():
    torch.manual_seed(0)
    output, target = torch.randn(8, 3, 5, 5), torch.randint(0, 3, (8, 5, 5))
    assert scored(output, target) == pytest.approx((output.argmax(1) == target).float().mean().item())
    truth = torch.randn(8, 2, 5, 5)
    guess = truth + torch.randn_like(truth)
    flat = [t.movedim(1, -1).reshape(-1, 2).numpy() for t in (truth, guess)]
    assert scored(guess, truth) == pytest.approx(r2_score(*flat), rel=1e-5)


def test_ignored_targets_do_not_count():
    output, target = torch.eye(4), torch.tensor([0, 1, 0, -100])
    assert scored(output, target) == pytest.approx(2 / 3)


def test_outputs_that_are_not_finite_have_no_score():
    assert math.isnan(scored(torch.full((9, 1), math.nan), torch.arange(9.0)))
    assert math.isnan(scored(torch.full((9, 1), math.inf), torch.arange(9) % 2))


def test_outputs_of_another_shape_are_refused():
    with pytest.raises(BadParts, match=r"\(9, 4\) cannot be scored against .*\(9, 3\)"):
        scored(torch.zeros(9, 4), torch.zeros(9, 3), batch=9)
    with pytest.raises(BadParts, match="str"):
        Tally().add("output", torch.zeros(3))


def test_the_loss_is_the_mean_over_samples_and_not_over_batches():
    tally = Tally()
    tally.add(torch.zeros(3, 2), torch.zeros(3).long(), torch.tensor(1.0))
    tally.add(torch.zeros(1, 2), torch.zeros(1).long(), torch.tensor(5.0))
    assert tally.loss() == 2 and math.isnan(Tally().loss())


def test_scoring_leaves_every_module_in_the_mode_it_was_in():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5), nn.BatchNorm1d(2))
    model[2].eval()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    score(model, [(torch.randn(5, 3), torch.tensor([0, 1, 0, 1, 1]))])
    assert [m.training for m in model.modules()] == [True, True, True, False]
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    with evaluating(model):
        assert not any(m.training for m in model.modules()) and not torch.is_grad_enabled()


def test_a_tally_continues_from_its_state():
    for output, target in (
        (torch.randn(20, 3), torch.randint(0, 3, (20,))),
        (torch.randn(20, 1), torch.arange(20) % 2),
        (torch.randn(20, 1), torch.randn(20, 1)),
    ):
        one, other = Tally(), Tally()
        one.add(output[:10], target[:10], torch.tensor(1.0))
        other.load_state_dict(one.state_dict(), torch.device("cpu"))
        for tally in (one, other):
            tally.add(output[10:], target[10:], torch.tensor(2.0))
        assert one.score() == other.score() == scored(output, target) and other.loss() == 1.5


def test_the_area_of_a_perfect_and_of_a_reversed_order_is_1_and_0():
    truth = np.array([0.0, 0, 1, 1])
    assert area_under_curve(np.arange(4.0), truth) == 1 and area_under_curve(-np.arange(4.0), truth) == 0


def test_shares_of_classes_are_scored_by_the_largest_one():
    torch.manual_seed(0)
    output, share, labels = torch.randn(50, 4), torch.rand(50, 1) * 0.4, torch.arange(50) % 4
    hard = torch.nn.functional.one_hot(labels, 4).float()
    mixed = (1 - share) * hard + share * hard.roll(1, 0)
    tally = Tally()
    for rows in torch.arange(50).split(20):
        tally.add(output[rows], mixed[rows])
    assert tally.score() == pytest.approx(float((output.argmax(1) == labels).float().mean()))


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan, 1e200])
def test_numbers_that_are_not_finite_or_too_large_are_scored_without_a_warning(bad):
    for spoilt in (0, 1):
        pair = [torch.randn(6, 2, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)]
        pair[spoilt][3, 1] = bad
        tally = Tally()
        tally.add(*pair)
        assert not tally.score() > 0.9
