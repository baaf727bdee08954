"""The computed receptive field is the one that gradients show."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from torchdoctor.models.inception import Inception
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.receptive_field import receptive_fields
from torchdoctor.models.resnet_cifar import ResNetCifar


def positive(model: nn.Module) -> nn.Module:
    """Weights above zero, so that no gradient cancels another or dies in a ReLU."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.abs() + 0.01)
    return model.double().eval()


def measured(model: nn.Module, layer: str, sides: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the box of pixels that move the output in the middle of the layer's map."""
    outputs: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *given: outputs.append(given[2]))
    x = torch.rand(1, 1, *sides, dtype=torch.float64, requires_grad=True)
    model(x)
    handle.remove()
    middle = outputs[0][0].sum(0)
    (middle[middle.shape[0] // 2, middle.shape[1] // 2] if middle.ndim else middle).backward()
    assert x.grad is not None
    rows, columns = (x.grad[0, 0] != 0).nonzero(as_tuple=True)
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)


kernels = st.tuples(st.integers(1, 5), st.integers(1, 5))
layers = st.tuples(
    st.sampled_from(["conv", "pool"]), kernels, st.tuples(st.integers(1, 2), st.integers(1, 2)), st.integers(1, 2)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4))
def test_of_any_stack_of_windows_it_is_what_gradients_show(stack: list) -> None:
    modules: list[nn.Module] = []
    for kind, kernel, stride, dilation in stack:
        if kind == "conv":
            padding = (dilation * (kernel[0] // 2), dilation * (kernel[1] // 2))
            modules += [nn.Conv2d(1, 1, kernel, stride, padding, dilation), nn.Softplus()]
        else:
            modules.append(nn.AvgPool2d(kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
    model = positive(nn.Sequential(*modules))
    x = torch.rand(1, 1, 128, 131, dtype=torch.float64)
    last = str(len(modules) - 1)
    assert receptive_fields(model, x)[last] == measured(model, last, (128, 131))


@pytest.mark.parametrize("layer", ["conv", "blocks.0", "blocks.1.conv1", "blocks.1", "blocks.2.conv2", "blocks.2"])
def test_of_branches_that_meet_it_is_the_larger(layer: str) -> None:
    model = positive(ResNetCifar((1, 64, 64), 3, depth=8, activation="gelu"))
    assert receptive_fields(model, torch.rand(1, 1, 64, 64).double())[layer] == measured(model, layer, (64, 64))


def test_of_asymmetric_branches_height_and_width_are_told_apart() -> None:
    model = positive(Inception((1, 48, 48), 3, width=4, activation="gelu"))
    for layer in ("blocks.0", "blocks.0.large.1"):
        assert receptive_fields(model, torch.rand(1, 1, 48, 48).double())[layer] == measured(model, layer, (48, 48))
    tall = nn.Sequential(nn.Conv2d(1, 1, (7, 1)), nn.Conv2d(1, 1, (1, 3)))
    assert receptive_fields(tall, torch.rand(1, 1, 20, 20)) == {"": (7, 3), "0": (7, 1), "1": (7, 3)}


def test_of_lenet5_it_is_the_known_one_and_dense_layers_see_it_all() -> None:
    found = receptive_fields(LeNet5((1, 28, 28), 10), torch.rand(1, 1, 28, 28))
    assert [found[n] for n in ("conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc3")] == [
        (5, 5), (6, 6), (14, 14), (16, 16), (16, 16), (28, 28), (28, 28)
    ]  # fmt: skip


def test_functional_calls_and_global_pooling_are_followed() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
            self.fc = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = nn.functional.max_pool2d(torch.relu(self.a(x)), 2)
            return self.fc(self.b(x).mean((2, 3)))

    found = receptive_fields(Functional(), torch.rand(2, 1, 30, 40))
    assert found["b"] == (8, 8)
    assert found["fc"] == (8 + 2 * (12 - 1), 8 + 2 * (17 - 1))


def test_a_layer_over_the_channels_of_each_pixel_sees_no_further() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch, self.mix = nn.Conv2d(1, 8, 4, 4), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.patch(x).flatten(2).transpose(1, 2))

    assert receptive_fields(Tokens(), torch.rand(2, 1, 16, 16))["mix"] == (4, 4)


def test_what_is_behind_a_transposed_convolution_is_left_out() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 1, 2, 2))
    assert receptive_fields(model, torch.rand(1, 1, 9, 9)) == {"0": (3, 3)}
