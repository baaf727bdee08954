"""Weights that no optimizer of model.parameters() will ever see."""

from __future__ import annotations

import pytest
import torch
from judging import judged
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.probes.unlisted_weights import unlisted_weights
from torchdoctor.rules.model.unregistered_parameter import unregistered_parameter


def table(model: nn.Module, *more: Tensor) -> Parts:
    torch.manual_seed(0)
    x = torch.randn(64, 6)
    return split(model, nn.MSELoss(), torch.optim.SGD([*model.parameters(), *more], 0.1), x, x[:, :1])


class Listed(nn.Module):
    """Hidden layers in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(6, 6), nn.Linear(6, 6)]
        self.scales = {"out": torch.ones(1, requires_grad=True)}
        self.output = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.output(x) * self.scales["out"]


class Anew(nn.Module):
    """A layer that is made in forward()."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.relu(nn.Linear(6, 8)(x)))


class Gradients(nn.Module):
    """The output is a derivative with respect to a copy of the inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        point = x.detach().clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(torch.tanh(self.fc(point)).sum(), point, create_graph=True)
        return slope[:, :1] + self.fc(point)


def test_healthy_nets_list_all_they_have() -> None:
    for build in (mlp, convolutions, recurrent, text):
        assert measured(unlisted_weights, build())[0]["unlisted_weights", ""] == 0, build.__name__


def test_what_lists_and_dicts_hold_is_named_as_it_is_reached() -> None:
    values, facts = measured(unlisted_weights, table(Listed()))
    assert values["unlisted_weights", ""] == values["unlisted_outside", ""] == 5
    assert [w["name"] for w in facts["unlisted_weights"]] == [
        "hidden[0].weight", "hidden[0].bias", "hidden[1].weight", "hidden[1].bias", "scales['out']",
    ]  # fmt: skip


def test_layers_made_in_forward_are_weights_and_points_to_differentiate_at_are_not() -> None:
    values, _ = measured(unlisted_weights, table(Anew()))
    assert values["unlisted_redrawn", ""] == 1  # the bias, one number for each unit, might be data
    assert measured(unlisted_weights, table(Gradients()))[0]["unlisted_weights", ""] == 0


def test_what_an_optimizer_holds_all_the_same_is_a_hint() -> None:
    model = Listed()
    more = [p for layer in model.hidden for p in layer.parameters()] + [model.scales["out"]]
    found = judged(table(model, *more), [unlisted_weights], unregistered_parameter)
    assert [f.alarm for f in found] == [False]
    found = judged(table(Listed()), [unlisted_weights], unregistered_parameter)
    assert [f.alarm for f in found] == [True] and "hidden[0].weight" in found.findings[0].where


def test_the_fix_registers_them_and_they_learn() -> None:
    parts = table(Listed())
    cured = resolve(Remedy("register-parameters")).apply(parts)
    assert measured(unlisted_weights, cured)[0]["unlisted_weights", ""] == 0
    assert len(list(cured.model.parameters())) == 7 and len(list(parts.model.parameters())) == 2
    before = [p.detach().clone() for p in cured.model.parameters()]
    x, y = next(iter(cured.train))
    cured.loss_fn(cured.model(x), y).backward()
    cured.optimizer.step()
    assert not any(torch.equal(a, b) for a, b in zip(before, cured.model.parameters()))


def test_the_fix_refuses_a_model_that_lists_all() -> None:
    with pytest.raises(BadParts, match="none can be registered"):
        resolve(Remedy("register-parameters")).apply(mlp())
