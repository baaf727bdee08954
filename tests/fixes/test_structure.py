"""Structure taken apart: the same shapes, fewer weights, by the share that the papers promise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.models.alexnet import AlexNet
from torchdoctor.models.factorized import asymmetric, bottleneck, separable, small_kernels
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe

APART = {"small": small_kernels, "asymmetric": asymmetric, "separable": separable, "bottleneck": bottleneck}


def weights(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def parts(model: nn.Module, *shape: int) -> Parts:
    batches = [(torch.randn(4, *shape), torch.tensor([0, 1, 2, 0]))]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), batches)


def applied(name: str, before: Parts, **options: Any) -> Parts:
    return resolve(Remedy(name)).apply(before, **options)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(APART)),
    read=st.integers(4, 40),
    out=st.integers(4, 40),
    kernel=st.sampled_from([3, 5, 7, 9]),
    padding=st.integers(0, 4) | st.just("same"),
    stride=st.integers(1, 3),
    bias=st.booleans(),
    sides=st.tuples(st.integers(9, 20), st.integers(9, 20)),
)
def test_what_is_taken_apart_gives_maps_of_the_same_shape_with_fewer_weights(
    kind: str, read: int, out: int, kernel: int, padding: Any, stride: int, bias: bool, sides: tuple[int, int]
) -> None:
    stride = 1 if padding == "same" else stride
    conv = nn.Conv2d(read, out, kernel, stride, padding, bias=bias)
    made = APART[kind](conv)
    if made is None:
        return
    x = torch.randn(2, read, *sides)
    assert made(x).shape == conv(x).shape and weights(made) < weights(conv)
    assert (made[-1].bias is not None) == bias


def numbers(layers: nn.Sequential) -> int:
    return sum(m.weight.numel() for m in layers if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize(("read", "out"), [(64, 64), (32, 96)])
def test_shares_of_the_weights_are_those_of_the_papers(read: int, out: int) -> None:
    whole = {k: nn.Conv2d(read, out, k, padding=k // 2) for k in (3, 5, 7)}
    share = {
        "two 3 x 3": numbers(small_kernels(whole[5])) / whole[5].weight.numel(),
        "three 3 x 3": numbers(small_kernels(whole[7])) / whole[7].weight.numel(),
        "1 x 7 and 7 x 1": numbers(asymmetric(whole[7])) / whole[7].weight.numel(),
        "separable": numbers(separable(whole[3])) / whole[3].weight.numel(),
    }
    assert share["two 3 x 3"] == pytest.approx(18 / 25, rel=1e-2)
    assert share["1 x 7 and 7 x 1"] == pytest.approx(2 / 7, rel=1e-2)
    assert share["separable"] == pytest.approx(1 / out + 1 / 9, rel=1e-6)
    if read == out:
        assert share["three 3 x 3"] == pytest.approx(27 / 49)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(16, 16, 5, groups=16),
        nn.Conv2d(1, 16, 5),
        nn.Conv2d(16, 16, 5, dilation=2),
        nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 5, padding=2, padding_mode="reflect"),
    ],
    ids=["grouped", "first layer", "dilated", "1 x 1", "reflecting"],
)
def test_what_would_not_be_the_same_stays_whole(conv: nn.Conv2d) -> None:
    assert [apart(conv) for apart in APART.values()] == [None] * 4


def test_the_field_of_view_stays() -> None:
    from torchdoctor.models.receptive_field import receptive_fields

    conv = nn.Conv2d(8, 8, 7, padding=3)
    for made in (small_kernels(conv), asymmetric(conv), separable(conv)):
        assert receptive_fields(made, torch.rand(1, 8, 30, 30))[""] == (7, 7)


def test_a_signal_keeps_its_size() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 64, 16, 16)
    whole = nn.Conv2d(64, 64, 5, padding=2)
    for made in (small_kernels(whole), asymmetric(whole), separable(whole), bottleneck(whole)):
        assert 0.3 < float(made(x).detach().std()) < 3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("replace-large-kernels", {}),
        ("replace-large-kernels", {"by": "asymmetric", "activation": "gelu"}),
        ("use-depthwise", {}),
        ("use-bottleneck", {}),
        ("use-global-pooling", {}),
    ],
    ids=str,
)
def test_a_model_trains_with_each_of_them(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = AlexNet((3, 28, 28), 3, hidden=32, dropout=0.0)
    before = parts(model, 3, 28, 28)
    after = applied(name, before, **options)
    assert weights(after.model) < weights(model)
    losses = []
    for _ in range(12):
        ((x, y),) = after.train
        after.optimizer.zero_grad()
        loss = after.loss_fn(after.model(x), y)
        loss.backward()
        after.optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_global_pooling_as_patch_and_as_surgery_has_the_same_weights() -> None:
    for name in ("lenet5", "alexnet"):
        recipe = Recipe.from_dict({"model": {"name": name}, "data": {"limit": 64}, "train": {"device": "cpu"}})
        fix = resolve(Remedy("use-global-pooling"))
        assert fix.patch is not None
        patched = recipe.patched(fix.patch(recipe.to_dict())).experiment().build(0).model
        operated = fix.on(recipe.experiment()).build(0).model
        assert weights(patched) == weights(operated) < weights(recipe.experiment().build(0).model)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.a, self.b = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 10), nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(self.conv(x).flatten(1))))


class Shared(Functional):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.act(self.a(self.act(self.conv(x)).flatten(1))))


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("use-global-pooling", resnet20((1, 8, 8), 3), "pooled already"),
        ("use-global-pooling", nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), "no dense layers behind a map"),
        ("use-global-pooling", Functional(), "calls relu between its dense layers"),
        ("use-global-pooling", Shared(), "'act' between the dense layers is called elsewhere"),
        ("replace-large-kernels", resnet20((1, 8, 8), 3), "no kernel of at least 5 x 5"),
        ("use-bottleneck", LeNet5((1, 8, 8), 3), "no wide convolution"),
        ("use-depthwise", nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), "no convolution over all channels"),
    ],
)
def test_where_it_does_not_apply_is_told(name: str, model: nn.Module, said: str) -> None:
    with pytest.raises(BadParts, match=said):
        applied(name, parts(model, 1, 8, 8))


def test_an_unknown_way_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadParts, match="Did you mean 'asymmetric'"):
        applied("replace-large-kernels", parts(LeNet5((1, 28, 28), 3), 1, 28, 28), by="asymetric")


def test_the_activation_behind_the_output_stays() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(1)
    )
    after = applied("use-global-pooling", parts(model, 1, 8, 8)).model
    y = after(torch.randn(5, 1, 8, 8))
    assert torch.allclose(y.sum(1), torch.ones(5)) and weights(after) == 4 * 9 + 4 + 4 * 3 + 3
