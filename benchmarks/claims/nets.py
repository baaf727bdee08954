"""The nets that claims are about, small enough to be trained by the hundred.

May not: train.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from benchmarks.claims.arms import CLASSES
from torchdoctor.models.init import initialize
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mlp import MLP

SHAPE = (1, 28, 28)


def conv_net(block: Callable[[int, int], Sequence[nn.Module]], width: int = 16) -> nn.Module:
    """A stem, two stages of one block each, global pooling: what differs is the block alone."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
        *block(width, width), nn.MaxPool2d(2), *block(width, 2 * width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, CLASSES),
    )  # fmt: skip


def one_5x5(into: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(into, out, 5, padding=2, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def one_3x3(into: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def two_3x3(into: int, out: int) -> list[nn.Module]:
    return [*one_3x3(into, into), *one_3x3(into, out)]


def separable(into: int, out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(into, into, 3, padding=1, groups=into, bias=False), nn.BatchNorm2d(into), nn.ReLU(),
        nn.Conv2d(into, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
    ]  # fmt: skip


def lenet(**options: str) -> nn.Module:
    return LeNet5(SHAPE, CLASSES, **options)  # type: ignore[arg-type]


def deep(activation: str, layers: int) -> nn.Module:
    """With the initial weights that suit the activation: with torch's own, none of them learns in depth."""
    model = MLP((784,), CLASSES, hidden=[64] * layers, activation=activation)
    initialize(model, "matched", activation)
    return nn.Sequential(nn.Flatten(), model)


def halved(make: Callable[..., nn.Module]) -> nn.Module:
    """On pictures of half the size, since 56 layers are slow."""
    return nn.Sequential(nn.AvgPool2d(2), make((1, 14, 14), CLASSES))


def weights_of(block: Callable[[int, int], Sequence[nn.Module]]) -> int:
    """Of the convolutions of a block from 16 to 16 channels alone."""
    return sum(p.numel() for m in block(16, 16) if isinstance(m, nn.Conv2d) for p in m.parameters())
