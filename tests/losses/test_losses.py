"""Each loss against the slow, obvious formula, on shapes it takes, with a gradient that is one."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import hinge_loss as sklearn_hinge
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.losses.focal import FocalLoss
from torchdoctor.losses.likeness import CosineDistance, KLDivergence
from torchdoctor.losses.margin import HingeLoss, TripletLoss
from torchdoctor.losses.overlap import DiceLoss, IoULoss
from torchdoctor.losses.robust import GeneralizedCrossEntropy
from torchdoctor.losses.weighted import WeightedSum, shares_of

seeds = st.integers(0, 999)


@given(n=st.integers(1, 20), classes=st.integers(2, 6), gamma=st.sampled_from([0.0, 0.5, 2.0, 5.0]), seed=seeds)
def test_focal_loss_is_its_formula_and_without_gamma_cross_entropy(n, classes, gamma, seed):
    torch.manual_seed(seed)
    output, target = 3 * torch.randn(n, classes), torch.randint(0, classes, (n,))
    chances = output.double().softmax(1)
    slow = sum(-((1 - p[t]) ** gamma) * math.log(p[t]) for p, t in zip(chances.tolist(), target.tolist())) / n
    assert FocalLoss(gamma)(output, target).item() == pytest.approx(slow, rel=1e-4, abs=1e-6)
    weight = torch.rand(classes) + 0.1
    with_weights, reference = FocalLoss(0.0, weight), nn.CrossEntropyLoss(weight)
    assert with_weights(output, target).item() == pytest.approx(reference(output, target).item(), rel=1e-4, abs=1e-6)


def test_focal_loss_of_yes_or_no_is_binary_cross_entropy_without_gamma():
    output, target = torch.randn(9, 3), torch.randint(0, 2, (9, 3)).float()
    plain = nn.functional.binary_cross_entropy_with_logits(output, target)
    assert torch.allclose(FocalLoss(gamma=0.0)(output, target), plain)
    assert FocalLoss(gamma=2.0)(output, target) < plain


@given(n=st.integers(1, 20), classes=st.integers(2, 6), q=st.floats(0.05, 1), seed=seeds)
def test_generalized_cross_entropy_is_its_formula(n, classes, q, seed):
    torch.manual_seed(seed)
    output, target = 3 * torch.randn(n, classes), torch.randint(0, classes, (n,))
    chances = output.double().softmax(1)
    slow = sum((1 - p[t] ** q) / q for p, t in zip(chances.tolist(), target.tolist())) / n
    assert GeneralizedCrossEntropy(q)(output, target).item() == pytest.approx(slow, rel=1e-4, abs=1e-6)
    equal = GeneralizedCrossEntropy(q, torch.full((classes,), 3.0))
    assert equal(output, target).item() == pytest.approx(slow, rel=1e-4, abs=1e-6)


def test_generalized_cross_entropy_is_pulled_least_by_what_it_is_surest_is_wrong():
    output = torch.tensor([[9.0, 0.0], [0.1, 0.0]], requires_grad=True)
    GeneralizedCrossEntropy(1.0)(output, torch.tensor([1, 1])).backward()
    assert output.grad[0].abs().max() < 0.01 < output.grad[1].abs().max()
    with pytest.raises(ValueError, match="q is 0"):
        GeneralizedCrossEntropy(0)


def test_dice_and_iou_are_their_formulas_on_hard_answers():
    truth = torch.tensor([[[0, 0, 1], [2, 2, 1]]])
    guess = torch.tensor([[[0, 1, 1], [2, 2, 1]]])
    output = 100.0 * nn.functional.one_hot(guess, 3).movedim(-1, 1).float()
    dice = [2 * 1 / 3, 2 * 2 / 5, 1.0]
    iou = [1 / 2, 2 / 3, 1.0]
    assert DiceLoss(smooth=0.0)(output, truth).item() == pytest.approx(1 - sum(dice) / 3)
    assert IoULoss(smooth=0.0)(output, truth).item() == pytest.approx(1 - sum(iou) / 3)


@pytest.mark.parametrize("loss", [DiceLoss(), IoULoss()])
def test_overlap_takes_two_kinds_of_shapes_and_refuses_others(loss):
    mask = (torch.rand(2, 1, 4, 4) > 0.5).long()
    right, wrong = 50.0 * (2 * mask - 1), -50.0 * (2 * mask - 1)
    assert loss(right.float(), mask).item() == pytest.approx(0, abs=1e-5)
    assert loss(wrong.float(), mask).item() > 0.5
    with pytest.raises(BadParts, match=r"\(2, 3, 4, 4\) has no overlap with a target of shape \(2, 4, 5\)"):
        loss(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 5).long())


@given(n=st.integers(2, 30), seed=seeds)
def test_hinge_loss_is_that_of_scikit_learn(n, seed):
    torch.manual_seed(seed)
    output, target = torch.randn(n, 1), torch.randint(0, 2, (n,))
    target[:2] = torch.tensor([0, 1])  # of one class alone scikit-learn knows no sign
    reference = sklearn_hinge(2 * target.numpy() - 1, output[:, 0].numpy(), labels=[-1, 1])
    assert HingeLoss()(output, target).item() == pytest.approx(reference, rel=1e-5, abs=1e-6)


def test_hinge_loss_refuses_other_shapes():
    with pytest.raises(BadParts, match=r"\(4, 10\)"):
        HingeLoss()(torch.zeros(4, 10), torch.zeros(4).long())


@settings(deadline=None)
@given(n=st.integers(2, 10), classes=st.integers(1, 4), seed=seeds)
def test_triplet_loss_takes_the_hardest_of_each_batch(n, classes, seed):
    torch.manual_seed(seed)
    points, labels = torch.randn(n, 3), torch.randint(0, classes, (n,)).tolist()
    found = []
    for a in range(n):
        apart = [(points[a] - points[b]).norm().item() for b in range(n)]
        partners = [d for b, d in enumerate(apart) if b != a and labels[b] == labels[a]]
        strangers = [d for b, d in enumerate(apart) if labels[b] != labels[a]]
        if partners and strangers:
            found.append(max(0.0, max(partners) - min(strangers) + 0.2))
    slow = sum(found) / len(found) if found else 0.0
    assert TripletLoss()(points, torch.tensor(labels)).item() == pytest.approx(slow, rel=1e-4, abs=1e-5)


def test_the_divergence_is_that_of_the_definition_and_zero_of_itself():
    target = torch.rand(6, 4).softmax(1)
    output = torch.randn(6, 4)
    slow = (target * (target.log() - output.log_softmax(1))).sum(1).mean()
    assert torch.allclose(KLDivergence()(output, target), slow)
    assert KLDivergence()(target.log(), target).item() == pytest.approx(0, abs=1e-6)


def test_the_cosine_distance_sees_directions_alone():
    a = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert CosineDistance()(5 * a, a).item() == pytest.approx(0, abs=1e-6)
    assert CosineDistance()(-a, a).item() == pytest.approx(2)
    assert CosineDistance()(a.flip(0), a).item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (FocalLoss(), torch.tensor([0, 1, 1, 0])), (DiceLoss(), torch.tensor([0, 1, 1, 0])),
        (IoULoss(), torch.tensor([0, 1, 1, 0])), (TripletLoss(), torch.tensor([0, 1, 1, 0])),
        (KLDivergence(), torch.full((4, 3), 1 / 3)), (CosineDistance(), torch.ones(4, 3)),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "",
)  # fmt: skip
def test_every_gradient_is_that_of_finite_differences(loss, target):
    torch.manual_seed(1)
    output = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    target = target.double() if target.is_floating_point() else target
    assert torch.autograd.gradcheck(lambda o: loss(o, target), (output,))


def test_equal_embeddings_give_a_finite_gradient():
    output = torch.ones(4, 3, requires_grad=True)
    TripletLoss()(output, torch.tensor([0, 0, 1, 1])).backward()
    assert output.grad is not None and output.grad.isfinite().all()


def test_a_sum_of_losses_says_what_share_each_is_while_training_alone():
    both = WeightedSum({"a": (1.0, nn.MSELoss()), "b": (3.0, nn.L1Loss())})
    output, target = torch.full((4, 1), 2.0, requires_grad=True), torch.zeros(4, 1)
    assert both(output, target).item() == pytest.approx(4 + 3 * 2)
    with torch.no_grad():
        both(100 * output, target)  # an evaluation
    assert shares_of(both) == pytest.approx({"loss_share_a": 0.4, "loss_share_b": 0.6})
    assert shares_of(both) == {} and shares_of(nn.MSELoss()) == {}
