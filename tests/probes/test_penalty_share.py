"""Terms of a loss that do not look at the targets, and how hard they pull."""

from __future__ import annotations

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import split
from torch import Tensor, nn, tensor
from torch.nn import functional as F

from torchdoctor.parts import Parts
from torchdoctor.probes.penalty_share import penalty_share
from torchdoctor.probes.terms import terms
from torchdoctor.rules.loss.dominant_penalty import dominant_penalty


class Coder(nn.Module):
    """(N, 20 + 3 + 3): pixels, and mean and logarithm of the variance of a code."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(20, 6), nn.Linear(3, 20)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.inner(x)
        return torch.cat([self.outer(inner[:, :3]), inner], 1)


def divergence(output: Tensor) -> Tensor:
    mean, log_variance = output[:, 20:].chunk(2, 1)
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp())


def averaged_beside_summed(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output[:, :20], target) + divergence(output).sum()


def both_summed(output: Tensor, target: Tensor) -> Tensor:
    return (F.mse_loss(output[:, :20], target, reduction="sum") + divergence(output).sum()) / len(target)


def no_penalty(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output[:, :20], target)


def coder(loss_fn: object) -> Parts:
    torch.manual_seed(0)
    model, x = Coder(), 3 * torch.randn(128, 20)
    return split(model, loss_fn, torch.optim.Adam(model.parameters()), x, x)


def test_a_summed_divergence_beside_averaged_errors_is_a_dominant_penalty() -> None:
    assert names(judged(coder(averaged_beside_summed), [penalty_share], dominant_penalty)) == ["dominant-penalty"]


@pytest.mark.parametrize("loss_fn", [both_summed, no_penalty])
def test_terms_reduced_alike_are_left_in_peace(loss_fn: object) -> None:
    assert names(judged(coder(loss_fn), [penalty_share], dominant_penalty)) == []


def test_a_loss_whose_terms_all_look_at_the_targets_has_no_aimless_one() -> None:
    def two(output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output[:, :20], target) + 1000 * F.l1_loss(output[:, :20], target)

    assert ("aimless_gradient", "") not in measured(penalty_share, coder(two))[0]


def test_the_terms_are_what_is_added_with_their_factors() -> None:
    a, b, c = (tensor(float(i), requires_grad=True) for i in (1, 2, 3))
    found = terms(lambda: (2 * a.square() - b.exp() / 4) * 10 + 5 + torch.relu(c) * c)
    assert [round(t.factor, 6) for t in found] == [20, 2.5, 1]
    assert [float(t.scalar) for t in found] == pytest.approx([1.0, float(b.exp()), 9.0])
