"""Convolutions, then dense layers: the shape that AlexNet and VGG share, with torchvision's names for its parts."""

from __future__ import annotations

from typing import Literal, cast

from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models.layers import activation as activation_layer

Head = Literal["dense", "global"]


class TwoParts(nn.Module):
    """(N, C, H, W) -> (N, outputs): features, pooling, classifier. State keys are those of torchvision's models."""

    def __init__(self, features: nn.Module, avgpool: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.avgpool = avgpool
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.classifier(self.avgpool(self.features(x)).flatten(1)))


def pooled(sides: tuple[int, int], most: int, head: Head) -> tuple[int, int]:
    """The map that the classifier reads: at most `most` a side, one pixel for a global head, never more than there are
    (torchvision repeats the pixels of a small map, which only multiplies weights)."""
    if head not in ("dense", "global"):
        raise BadParts(
            f"There is no head {head!r}. Known: dense (as in the paper), global (average pooling, one layer)."
        )
    return (1, 1) if head == "global" else (min(most, sides[0]), min(most, sides[1]))


def dense_layers(read: int, hidden: int, outputs: int, activation: str) -> tuple[nn.Module, ...]:
    """(linear, activation, linear, activation, linear) from `read` numbers to `outputs`."""
    act = activation_layer
    return (
        nn.Linear(read, hidden), act(activation), nn.Linear(hidden, hidden), act(activation),
        nn.Linear(hidden, outputs),
    )  # fmt: skip
