"""Weights are drawn with the spread that each scheme promises, and signals keep their size through many layers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.models.init import gain, initialize
from torchdoctor.models.layers import activation
from torchdoctor.models.names import ACTIVATIONS, INITS


@pytest.mark.parametrize("scheme", INITS)
def test_initial_weights_have_the_spread_the_scheme_promises(scheme: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(400, 300), nn.Conv2d(50, 60, 3))
    before = [p.clone() for p in model.parameters()]
    initialize(model, scheme, "tanh")
    gain = 5 / 3
    expected = {
        "he": lambda into, out: gain / math.sqrt(into),
        "truncated-normal": lambda into, out: gain / math.sqrt(into),
        "xavier": lambda into, out: gain * math.sqrt(2 / (into + out)),
        "matched": lambda into, out: gain * math.sqrt(2 / (into + out)) if out == 300 else 1 / math.sqrt(into),
        "lecun": lambda into, out: 1 / math.sqrt(into),
        "orthogonal": lambda into, out: gain / math.sqrt(max(into, out)),
        "zeros": lambda into, out: 0.0,
    }
    if scheme == "default":
        assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
        return
    for layer, (into, out) in zip(model, ((400, 300), (450, 540))):
        if isinstance(layer, nn.Conv2d) and scheme == "orthogonal":
            out = 60
        assert layer.weight.std().item() == pytest.approx(expected[scheme](into, out), rel=0.05, abs=1e-9)
        assert layer.bias.abs().max() == 0


def test_a_truncated_normal_has_no_tails() -> None:
    layer = nn.Linear(500, 500)
    initialize(layer, "truncated-normal", "identity")
    std = 1 / math.sqrt(500)
    assert layer.weight.abs().max() <= 2 * std / 0.8796
    assert layer.weight.abs().max() > 2.1 * std  # a plain normal of this spread would reach 4.5


def test_xavier_minds_groups_and_is_torchs_without() -> None:
    depthwise, whole, torchs = nn.Conv2d(200, 200, 3, groups=200), nn.Conv2d(50, 60, 3), nn.Conv2d(50, 60, 3)
    initialize(depthwise, "xavier", "identity")
    assert float(depthwise.weight.detach().std()) == pytest.approx(math.sqrt(2 / 18), rel=0.1)
    torch.manual_seed(0)
    initialize(whole, "xavier", "identity")
    torch.manual_seed(0)
    nn.init.xavier_uniform_(torchs.weight)
    assert torch.allclose(whole.weight, torchs.weight)


def test_orthogonal_rows_are_orthogonal() -> None:
    layer = nn.Linear(50, 20)
    initialize(layer, "orthogonal", "relu")
    assert torch.allclose(layer.weight @ layer.weight.T, 2 * torch.eye(20), atol=1e-5)


@pytest.mark.parametrize("name", ["elu", "gelu", "silu", "prelu", "relu", "leaky-relu", "identity"])
def test_the_gain_keeps_the_mean_square_of_a_normal_signal(name: str) -> None:
    """By numerical integration: gain^2 E f(z)^2 = 1."""
    z = torch.linspace(-10, 10, 200_001, dtype=torch.float64)
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
    with torch.no_grad():
        mean_square = torch.trapezoid(activation(name).double()(z).square() * density, z)
    assert gain(name) ** 2 * float(mean_square) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("name", [a for a in ACTIVATIONS if a not in ("sigmoid", "selu")])
def test_matched_weights_carry_a_signal_through_many_layers(name: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 256)
    depth = 8 if name in ("gelu", "silu") else 30  # these let the more through the larger it is
    sizes = {}
    for scheme in ("matched", "default"):
        torch.manual_seed(0)
        layers = [nn.Sequential(nn.Linear(256, 256), activation(name)) for _ in range(depth)]
        model = nn.Sequential(*layers)
        initialize(model, scheme, name)
        with torch.no_grad():
            sizes[scheme] = float(model(x).square().mean().sqrt())
    assert 0.1 < sizes["matched"] < 5
    assert sizes["default"] < 0.5 * sizes["matched"]


def test_matched_selu_normalises_itself() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Sequential(nn.Linear(256, 256), nn.SELU()) for _ in range(30)))
    initialize(model, "matched", "selu")
    with torch.no_grad():
        y = model(torch.randn(500, 256))
    assert abs(float(y.mean())) < 0.1 and float(y.std()) == pytest.approx(1, abs=0.15)


def test_an_unknown_activation_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadParts, match="Did you mean 'gelu'"):
        initialize(nn.Linear(2, 2), "he", "gelo")


@pytest.mark.parametrize("name", ["vgg19", "alexnet"])
def test_deep_stacks_without_normalisation_give_outputs_of_order_one(name: str) -> None:
    from torchdoctor.models.names import MODELS
    from torchdoctor.recipe.imports import imported

    torch.manual_seed(0)
    model = imported(MODELS[name], {}, name)((3, 32, 32), 10, hidden=256).eval()
    with torch.no_grad():
        std = float(model(torch.randn(8, 3, 32, 32)).std())
    assert 0.2 < std < 10
