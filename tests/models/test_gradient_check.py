"""A wrong backward is found and named: the layer, the tensor, the place, both numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models import gradient_check
from torchdoctor.models.gradient_check import check_gradients
from torchdoctor.models.gru import GRU
from torchdoctor.models.inception import Block
from torchdoctor.models.resnet_cifar import ResNetCifar


class Cube(torch.autograd.Function):
    """Backward by a factor, right at 3."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grad * ctx.factor * x**2, None


class Cubed(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return Cube.apply(x, self.factor)


class Scaled(nn.Module):
    """A weight that is cut off from the loss on its way."""

    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.scale, self.cut = nn.Parameter(torch.linspace(1, 2, 4)), cut

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.scale.detach() if self.cut else self.scale)


class Net(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def test_a_wrong_factor_is_found_in_the_layer_itself_and_not_in_what_holds_it() -> None:
    model = Net(nn.Linear(4, 4), Cubed(2.0), nn.Linear(4, 2))
    (found,) = check_gradients(model, (torch.randn(3, 4),))
    assert (found.layer, found.kind, found.of) == ("layers.1", "Cubed", "input 0") and len(found.at) == 2
    assert found.analytic / found.numeric == pytest.approx(2 / 3, rel=1e-4)
    assert str(found).startswith("Layer 'layers.1' (Cubed): backward gives ") and "input 0[" in str(found)


def test_a_parameter_cut_off_by_detach_is_found_with_its_name() -> None:
    (found,) = check_gradients(Net(nn.Linear(4, 4), Scaled(cut=True)), (torch.randn(3, 4),))
    assert (found.layer, found.of, found.analytic) == ("layers.1", "scale", 0.0) and found.numeric != 0


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (Net(nn.Linear(4, 4), Cubed(3.0), Scaled(cut=False)), torch.randn(3, 4)),
        (ResNetCifar((1, 8, 8), 3, depth=8), torch.zeros(2, 1, 8, 8)),  # kinks of ReLU and max pooling lie at zero
        (Net(Block(3, 4, ((1, 7), (7, 1)), ("relu", "batch"))), torch.randn(2, 3, 8, 8)),
        (GRU((5,), 3, vocabulary=9, width=4), torch.randint(9, (2, 5))),
        (Net(nn.Dropout(0.5), nn.BatchNorm1d(4), nn.Linear(4, 2)), torch.randn(3, 4)),
    ],
    ids=["own", "resnet", "inception", "gru", "dropout"],
)
def test_right_gradients_are_left_in_peace(model: nn.Module, x: Tensor) -> None:
    before = {k: v.clone() for k, v in model.state_dict().items()}
    numbers = torch.get_rng_state()
    assert check_gradients(model, (x,)) == []
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), numbers) and model.training


def test_what_disagrees_is_tried_at_places_that_differ_even_where_the_layer_seeds_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places: list[Tensor] = []

    def refuse(run: object, tensor: Tensor) -> bool:
        places.append(tensor.detach())
        return len(places) % gradient_check.PLACES == 0  # at the last place only

    monkeypatch.setattr(gradient_check, "_agrees", refuse)
    assert check_gradients(Net(nn.Dropout(0.5), Scaled(cut=False)), (torch.randn(3, 4),)) == []
    first, second, third, *_ = places
    assert not first.equal(second) and not second.equal(third) and not first.equal(third)


def test_a_layer_that_insists_on_float32_is_told() -> None:
    class Insists(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ torch.ones(4, 4)

    with pytest.raises(BadParts, match="cannot run in float64"):
        check_gradients(Net(Insists()), (torch.randn(3, 4),))


def test_inputs_by_keyword_reach_the_layer() -> None:
    class Gate(nn.Module):
        def forward(self, x: Tensor, *, gate: Tensor) -> Tensor:
            return x * gate

    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = Gate()

        def forward(self, x: Tensor) -> Tensor:
            return self.gate(x, gate=x.sigmoid())

    assert check_gradients(Holder(), (torch.randn(3, 4),)) == []
