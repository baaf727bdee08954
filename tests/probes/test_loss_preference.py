"""What a loss likes, found by feeding it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn
from torch.nn import functional as F

from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.probes.attainable_loss import attainable_loss
from torchdoctor.probes.check import check
from torchdoctor.probes.data_pass import data_pass
from torchdoctor.probes.loss_limits import loss_limits
from torchdoctor.probes.loss_preference import loss_preference
from torchdoctor.probes.penalty_share import penalty_share
from torchdoctor.rules.loss.unstable_loss import unstable_loss
from torchdoctor.rules.loss.wrong_loss import wrong_loss
from torchdoctor.rules.model.wrong_output_width import wrong_output_width

Loss = Callable[[Tensor, Tensor], Tensor]


def program(loss_fn: Any, target: Tensor, outputs: int, *last: nn.Module) -> Parts:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs), *last)
    return split(model, loss_fn, torch.optim.SGD(model.parameters(), 0.1), torch.randn(len(target), 4), target)


def of_classes(loss_fn: Any, *last: nn.Module) -> Parts:
    return program(loss_fn, torch.arange(90) % 3, 3, *last)


def of_values(loss_fn: Any, outputs: int = 1, targets: int = 1) -> Parts:
    return program(loss_fn, torch.linspace(-2, 2, 90)[:, None] * torch.ones(targets), outputs)


def of_yes_and_no(loss_fn: Any, *last: nn.Module) -> Parts:
    return program(loss_fn, (torch.arange(90) % 2).float()[:, None], 1, *last)


def focal(output: Tensor, target: Tensor) -> Tensor:
    logs = F.log_softmax(output, 1).gather(1, target[:, None])
    return (-((1 - logs.exp()) ** 2) * logs).mean()


def quantiles(output: Tensor, target: Tensor) -> Tensor:
    error, q = target - output, torch.tensor([0.1, 0.5, 0.9])
    return torch.maximum(q * error, (q - 1) * error).mean()


def dice(output: Tensor, target: Tensor) -> Tensor:
    return 1 - (2 * (output * target).sum() + 1) / (output.sum() + target.sum() + 1)


HEALTHY: dict[str, Parts] = {
    "cross-entropy": of_classes(nn.CrossEntropyLoss()),
    "smoothed": of_classes(nn.CrossEntropyLoss(label_smoothing=0.2)),
    "log-likelihood": of_classes(nn.NLLLoss(), nn.LogSoftmax(1)),
    "margins": of_classes(nn.MultiMarginLoss()),
    "focal": of_classes(focal),
    "binary, scores": of_yes_and_no(nn.BCEWithLogitsLoss()),
    "binary, probabilities": of_yes_and_no(nn.BCELoss(), nn.Sigmoid()),
    "squares of probabilities": of_yes_and_no(nn.MSELoss(), nn.Sigmoid()),
    "overlap": of_yes_and_no(dice, nn.Sigmoid()),
    "squares": of_values(nn.MSELoss()),
    "absolute": of_values(nn.L1Loss()),
    "huber": of_values(nn.HuberLoss()),
    "quantiles": of_values(quantiles, outputs=3),
    "counts": program(nn.PoissonNLLLoss(), torch.poisson(torch.ones(90, 1)), 1),
    "counts of many": program(nn.PoissonNLLLoss(), torch.poisson(torch.full((90, 1), 30.0)), 1),
    "rates": program(nn.PoissonNLLLoss(log_input=False), torch.poisson(torch.ones(90, 1)), 1, nn.Softplus()),
    "margins of one": program(nn.SoftMarginLoss(), (2.0 * (torch.arange(90) % 2) - 1)[:, None], 1),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_losses_that_are_used_as_they_were_meant_are_left_in_peace(name: str) -> None:
    probes = [loss_preference, loss_limits, attainable_loss, penalty_share]
    report = judged(HEALTHY[name], [data_pass, *probes], wrong_loss, unstable_loss, wrong_output_width)
    assert names(report) == []


@pytest.mark.parametrize(
    "parts",
    [
        of_classes(lambda o, t: -F.cross_entropy(o, t)),
        of_classes(lambda o, t: o.gather(1, t[:, None]).mean(), nn.LogSoftmax(1)),
        of_yes_and_no(lambda o, t: -F.binary_cross_entropy_with_logits(o, t)),
        of_values(lambda o, t: -F.mse_loss(o, t)),
        of_values(lambda o, t: 1 - (o - t).square().mean() / t.var()),
        of_values(lambda o, t: F.cosine_similarity(o.flatten(), t.flatten(), 0)),
    ],
)
def test_what_should_be_large_and_is_made_small_is_found_and_turned_round(parts: Parts) -> None:
    assert names(judged(parts, [loss_preference], wrong_loss)) == ["wrong-loss"]
    cured = resolve(Remedy("negate-loss")).apply(parts)
    assert names(judged(cured, [loss_preference], wrong_loss)) == []


def test_a_cross_entropy_of_amounts_has_no_bottom_and_squares_have() -> None:
    parts = of_values(nn.BCEWithLogitsLoss())
    assert names(judged(parts, [data_pass, loss_preference], wrong_loss)) == ["wrong-loss"]
    assert names(judged(parts, [loss_preference], wrong_loss)) == []  # what the targets are, the data pass says
    cured = resolve(Remedy("use-squared-error")).apply(parts)
    assert measured(loss_preference, cured)[0]["loss_is_bottomless", ""] == 0


def test_healthy_nets_have_losses_that_hold_and_no_penalty() -> None:
    for build in (mlp, convolutions, recurrent, text):
        values, _ = measured(loss_limits, build())
        assert values["own_loss_finite", ""] == 1 and values["loss_breaks_at", ""] == math.inf
        assert measured(penalty_share, build())[0]["penalty_gradient", ""] == 0


def test_where_a_loss_by_hand_breaks_is_found() -> None:
    def by_hand(output: Tensor, target: Tensor) -> Tensor:
        p = torch.sigmoid(output)
        return -(target * p.log() + (1 - target) * (1 - p).log()).mean()

    assert measured(loss_limits, of_yes_and_no(by_hand))[0]["loss_breaks_at", ""] == 20
    assert names(judged(of_yes_and_no(by_hand), [loss_limits], unstable_loss)) == []  # not met so far
    relative = of_values(lambda o, t: ((o - t) / (t - t[0])).abs().mean())
    assert names(judged(relative, [loss_limits], unstable_loss)) == ["unstable-loss"]


@pytest.mark.parametrize(("strength", "share"), [(0.0, 0.0), (1e-4, 1e-3), (10.0, 10.0)])
def test_a_penalty_is_told_from_the_data_whatever_computes_it(strength: float, share: float) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))

    def loss_fn(output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target) + strength * torch.stack([p.abs().sum() for p in model.parameters()]).sum()

    parts = split(model, loss_fn, torch.optim.SGD(model.parameters(), 0.1), torch.randn(90, 4), torch.randn(90, 1))
    measure = measured(penalty_share, parts)[0]["penalty_gradient", ""]
    assert measure == 0 if share == 0 else 0.1 * share < measure < 100 * share


@pytest.mark.parametrize(("outputs", "targets", "ratio"), [(1, 2, 0.5), (3, 1, 3.0), (2, 2, None)])
def test_outputs_that_share_a_target_and_targets_that_share_an_output(
    outputs: int, targets: int, ratio: float | None
) -> None:
    values, _ = measured(loss_preference, of_values(nn.MSELoss(), outputs, targets))
    assert values.get(("outputs_per_target", "")) == ratio


def test_a_loss_that_never_looks_at_the_targets_pairs_nothing() -> None:
    values, _ = measured(loss_preference, of_values(lambda o, t: o.square().mean(), outputs=2))
    assert ("outputs_per_target", "") not in values


def test_a_sum_becomes_a_mean_by_its_own_setting_or_by_division() -> None:
    x, y = torch.randn(6, 1), torch.randn(6, 1)
    for loss_fn in (nn.MSELoss(reduction="sum"), lambda o, t: (o - t).square().sum()):
        cured = resolve(Remedy("average-loss")).apply(of_values(loss_fn))
        assert torch.allclose(cured.loss_fn(x, y), F.mse_loss(x, y))


def test_a_cross_entropy_over_one_output_is_told_to_be_indifferent() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    batches = [(x, x.sum(1, keepdim=True)) for x in torch.randn(4, 16, 3)]
    report = check(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), batches)
    assert next(iter(report)).name == "wrong-loss" and "whatever the outputs are" in next(iter(report)).message


class Pairs(nn.Module):
    """The distance of two rows, (N, 2, 4) -> (N,)."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.embed, self.least = nn.Linear(4, 3), least

    def forward(self, pair: Tensor) -> Tensor:
        return ((self.embed(pair[:, 0]) - self.embed(pair[:, 1])).square().sum(1) + self.least).sqrt()


def of_pairs(loss_fn: Loss, least: float = 0.0) -> Parts:
    torch.manual_seed(0)
    model = Pairs(least)
    same = (torch.arange(90) % 2).float()
    return split(model, loss_fn, torch.optim.SGD(model.parameters(), 0.1), torch.randn(90, 2, 4), same)


def contrastive(margin: float) -> Loss:
    return lambda distance, same: (same * distance**2 + (1 - same) * (margin - distance).clamp(min=0) ** 2).mean()


@pytest.mark.parametrize("margin", [0.5, 1.0, 4.0])
def test_a_distance_that_is_small_for_yes_is_not_turned_round(margin: float) -> None:
    assert names(judged(of_pairs(contrastive(margin)), [data_pass, loss_preference, attainable_loss], wrong_loss)) == []


def test_a_likelihood_of_distances_without_its_minus_still_is() -> None:
    turned = of_pairs(lambda distance, same: -F.mse_loss(distance, same))
    assert names(judged(turned, [data_pass, loss_preference, attainable_loss], wrong_loss)) == ["wrong-loss"]


@pytest.mark.parametrize("least", [0.0, 1e-6])
def test_a_root_without_a_slope_is_found_though_no_pair_of_the_batch_is_equal(least: float) -> None:
    values, _ = measured(loss_limits, of_pairs(contrastive(1.0), least))
    assert values["own_loss_finite", ""] == 1 and values["equal_outputs_finite", ""] == float(least > 0)


def test_ordinary_losses_hold_where_all_outputs_are_equal() -> None:
    for build in (mlp, convolutions, recurrent, text):
        assert measured(loss_limits, build())[0]["equal_outputs_finite", ""] == 1, build.__name__
