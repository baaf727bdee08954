"""Dimensions that are mixed up come to light with sizes that are all different."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.models.names import MODELS, READS_IDS
from torchdoctor.models.shape_check import check_batch, check_sides, unequal
from torchdoctor.recipe.imports import imported


class Net(nn.Module):
    """mix: what is done to the images first."""

    def __init__(self, mix: Callable[[Tensor], Tensor], channels: int) -> None:
        super().__init__()
        self.mix, self.conv, self.fc = mix, nn.Conv2d(channels, 4, 3, padding=1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(self.mix(x)).mean((2, 3)))


class Square(nn.Module):
    """Dense layers made for height x height."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.fc = nn.Linear(shape[0] * shape[1] * shape[1], 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.flatten(1))


class OverBatch(nn.Module):
    """Softmax, or a mean, over the samples instead of the classes."""

    def __init__(self, mix: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.fc, self.mix = nn.Linear(4, 3), mix

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.fc(x))


def test_height_and_width_exchanged_by_a_view_are_found_with_the_layer() -> None:
    def mixed(x: Tensor) -> Tensor:
        return x.reshape(len(x), x.shape[1], x.shape[3], x.shape[2])

    found = check_sides(lambda shape: Net(mixed, shape[0]), (3, 8, 8))
    assert len(found) == 2
    assert found[0] == "Layer 'conv' sees height and width exchanged: images of 16 x 8 reach it as 8 x 16."


def test_a_model_made_for_squares_is_found() -> None:
    found = check_sides(Square, (1, 8, 8))
    assert len(found) == 2 and all("fails on images of" in line and "\n" not in line for line in found)


def test_batch_and_channels_exchanged_are_found() -> None:
    def mixed(x: Tensor) -> Tensor:
        return x.reshape(x.shape[1], len(x), *x.shape[2:]).transpose(0, 1)

    model = Net(mixed, 3)
    (found,) = check_batch(model, (torch.randn(5, 3, 8, 8),))
    assert "alone gets another answer" in found


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        (lambda x: x.softmax(0), "alone gets another answer"),
        (lambda x: x - x.mean(0, keepdim=True), "alone gets another answer"),
        (lambda x: x.T, "5 samples give 3 rows"),
        (lambda x: x.mean(0), "5 samples give 3 rows"),
    ],
)
def test_samples_that_act_on_each_other_are_found(mix: Callable[[Tensor], Tensor], said: str) -> None:
    torch.manual_seed(0)
    (found,) = check_batch(OverBatch(mix), (torch.randn(5, 4),))
    assert said in found


@pytest.mark.parametrize("name", [n for n in MODELS if n in READS_IDS or n in (
    "lenet5", "alexnet", "vgg11", "resnet18", "resnet20", "mobilenet", "inception", "mlp")])  # fmt: skip
def test_our_own_models_mix_nothing_up(name: str) -> None:
    make = imported(MODELS[name], {}, name)
    torch.manual_seed(0)
    if name in READS_IDS:
        assert check_batch(make((9,), 3, vocabulary=20), (torch.randint(20, (5, 9)),)) == []
        return
    options = {"hidden": 16} if name in ("alexnet", "vgg11") else {}
    assert check_sides(lambda shape: make(shape, 4, **options), (1, 9, 9)) == []


def test_the_batch_gets_a_size_that_nothing_else_has() -> None:
    assert [len(unequal((torch.zeros(64, *shape),))[0]) for shape in ((3, 8, 8), (5, 8, 8), (5, 7, 8))] == [5, 7, 11]


def test_looking_leaves_no_mark() -> None:
    model = Net(lambda x: x, 3)
    numbers = torch.get_rng_state()
    check_batch(model, (torch.zeros(5, 3, 4, 4),))
    check_sides(lambda shape: Net(lambda x: x, shape[0]), (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), numbers) and model.training
