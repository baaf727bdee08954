from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from judging import judged, names, traced
from programs import digits
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.activation_slope import activation_slope
from torchdoctor.probes.one_step import one_step
from torchdoctor.probes.outputs_at_start import outputs_at_start
from torchdoctor.probes.overfit_batch import overfit_batch
from torchdoctor.rules.model.badly_scaled_init import badly_scaled_init
from torchdoctor.rules.model.saturating_activation import saturating_activation

RULES = (saturating_activation, badly_scaled_init)
PROBES = (one_step, outputs_at_start, activation_slope, overfit_batch)


def mlp(hidden: int, activation: Callable[[], nn.Module]) -> nn.Module:
    layers = [layer for _ in range(hidden) for layer in (nn.Linear(64, 64), activation())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(64, 10))


def program(model: nn.Module, rate: float = 0.05) -> Parts:
    x, y = digits(128)
    x = (x / 16 - 0.3) / 0.37
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, [(x[:64], y[:64]), (x[64:], y[64:])])


def slopes(model: nn.Module) -> list[float]:
    return [s.last for _, s in traced(program(model), activation_slope).each("activation_slope")]


def test_a_sigmoid_lets_a_quarter_through_a_relu_all_and_a_tanh_nearly_all() -> None:
    torch.manual_seed(0)
    assert slopes(mlp(3, nn.Sigmoid)) == pytest.approx([0.25] * 3, abs=0.03)
    assert slopes(mlp(3, nn.ReLU)) == pytest.approx([1] * 3)
    assert all(0.75 < slope < 1 for slope in slopes(mlp(3, nn.Tanh)))


class Functional(nn.Module):
    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.one, self.two, self.activation = nn.Linear(64, 32), nn.Linear(32, 10), activation

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.activation(self.one(x.flatten(1))))


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        (torch.sigmoid, 0.2, 0.25),
        (torch.sigmoid_, 0.2, 0.25),
        (F.relu_, 1, 1),
        (lambda z: z * torch.sigmoid(z), 0.4, 0.7),
        (F.softsign, 0.4, 0.9),
    ],
)
def test_function_calls_in_place_and_written_by_hand_are_seen(
    activation: Callable[[Tensor], Tensor], low: float, high: float
) -> None:
    torch.manual_seed(0)
    (slope,) = slopes(Functional(activation))
    assert low - 1e-6 <= slope <= high + 1e-6


def test_gates_and_pooling_are_not_taken_for_squashing() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.gate, self.head = nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Tensor:
            h = F.relu(self.body(x.flatten(1)))
            return self.head(h * torch.sigmoid(self.gate(h)))

    pooled = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AvgPool2d(6), nn.Flatten(), nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 10)
    )
    torch.manual_seed(0)
    assert all(slope == pytest.approx(1) for slope in slopes(Gated()))
    assert all(slope == pytest.approx(1) for slope in slopes(pooled))


@pytest.mark.parametrize("hidden", [4, 8])
def test_a_stack_of_sigmoids_is_found(hidden: int) -> None:
    torch.manual_seed(0)
    report = judged(program(mlp(hidden, nn.Sigmoid)), PROBES, *RULES)
    assert names(report) == ["saturating-activation"]
    assert len(report.findings[0].where) == hidden


def normal(std: float) -> Callable[[nn.Module], None]:
    return lambda model: each_weight(model, lambda p: nn.init.normal_(p, 0, std))


def each_weight(model: nn.Module, draw: Callable[[Tensor], object]) -> None:
    for p in model.parameters():
        if p.ndim > 1:
            draw(p)


def zero_head(model: nn.Module) -> None:
    nn.init.zeros_(model[-1].weight)


GOOD: dict[str, Callable[[nn.Module], None]] = {
    "default": lambda model: None,
    "He": lambda model: each_weight(model, nn.init.kaiming_normal_),
    "Xavier": lambda model: each_weight(model, nn.init.xavier_uniform_),
    "orthogonal": lambda model: each_weight(model, nn.init.orthogonal_),
    "a tenth": normal(0.1),
    "a head of zeros": zero_head,
}
BAD: dict[str, Callable[[nn.Module], None]] = {
    "unit variance": normal(1.0),
    "ten times the default": lambda model: each_weight(model, lambda p: p.data.mul_(10)),
    "zero to one": lambda model: each_weight(model, nn.init.uniform_),
    "a thousandth": normal(0.001),
}


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("draw", GOOD.values(), ids=GOOD.keys())
def test_customary_initial_weights_are_left_alone(
    draw: Callable[[nn.Module], None], activation: Callable[[], nn.Module]
) -> None:
    torch.manual_seed(0)
    model = mlp(4, activation)
    draw(model)
    assert names(judged(program(model), PROBES, *RULES)) == []


@pytest.mark.parametrize("draw", BAD.values(), ids=BAD.keys())
def test_initial_weights_of_the_wrong_scale_are_found(draw: Callable[[nn.Module], None]) -> None:
    torch.manual_seed(0)
    model = mlp(4, nn.ReLU)
    draw(model)
    assert names(judged(program(model), PROBES, *RULES)) == ["badly-scaled-init"]


def test_tanh_at_its_ends_is_the_weights_doing_not_its_own() -> None:
    torch.manual_seed(0)
    model = mlp(3, nn.Tanh)
    normal(1.0)(model)
    assert names(judged(program(model), PROBES, *RULES)) == ["badly-scaled-init"]


def test_a_trained_network_is_left_alone() -> None:
    torch.manual_seed(0)
    parts = program(mlp(3, nn.ReLU), 0.1)
    for _ in range(100):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
    assert names(judged(parts, PROBES, *RULES)) == []


def test_unscaled_inputs_are_not_blamed_on_the_weights() -> None:
    torch.manual_seed(0)
    model = mlp(3, nn.ReLU)
    x, y = digits(64)
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.01), [(x * 100, y)])
    assert names(judged(parts, PROBES, *RULES)) == []


class Doubling(nn.Module):
    """Between its layers ways part and meet forty times: one way after the other they would take for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 8), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x.flatten(1))
        for _ in range(40):
            hidden = 0.5 * (torch.tanh(hidden) + hidden)
        return self.second(hidden)


def test_ways_that_part_and_meet_often_are_gone_once() -> None:
    assert traced(program(Doubling()), activation_slope).value("activation_slope", "first") is not None
