"""A small network of Inception blocks: several views of the same map side by side, with large kernels taken apart.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, Rethinking the Inception architecture for computer vision, arXiv:1512.00567:
a 5 x 5 as two 3 x 3 (figure 5), a 7 x 7 as 1 x 7 and 7 x 1 (figure 6). `kernels="whole"` leaves them whole, to compare.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape, named
from torchdoctor.models.layers import normalization as normalization_layer

SMALLEST = 8  # pixels a side
WHOLE = 64  # pixels a side from which the first layer has a stride
Kernel = tuple[int, int]


class Inception(nn.Module):
    """(N, C, H, W) -> (N, outputs), H and W at least 8: a first layer, then three stages of two blocks."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        width: int = 32,
        kernels: Literal["factorized", "whole"] = "factorized",
        activation: str = "relu",
        normalization: str = "batch",
        dropout: float = 0.0,
    ) -> None:
        """width: channels of the first layer and of each branch of the first blocks; later stages have 1.5 and 2 times
        as many. dropout: before the last layer."""
        super().__init__()
        if kernels not in ("factorized", "whole"):
            raise BadParts(f"There are no kernels {kernels!r}. Known: factorized, whole.")
        channels, *sides = image_shape(input_shape, "inception", SMALLEST)
        taken_apart, kind = kernels == "factorized", (activation, normalization)
        self.stem = conv(channels, width, (3, 3), kind, stride=2 if min(sides) >= WHOLE else 1)
        near: tuple[Kernel, ...] = ((3, 3), (3, 3)) if taken_apart else ((5, 5),)
        far: tuple[Kernel, ...] = ((1, 7), (7, 1)) if taken_apart else ((7, 7),)
        blocks: list[nn.Module] = []
        read = width
        for branch, large in ((width, near), (width * 3 // 2, far), (width * 2, far)):
            blocks += [Block(read, branch, large, kind), Block(4 * branch, branch, large, kind)]
            blocks.append(nn.MaxPool2d(2, ceil_mode=True))
            read = 4 * branch
        self.blocks = nn.Sequential(*blocks[:-1])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(read, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.fc(self.drop(self.pool(self.blocks(self.stem(x))).flatten(1))))


class Block(nn.Module):
    """Four branches of `branch` channels each: 1 x 1; 3 x 3; a large kernel; pooling. 1 x 1 convolutions before the
    wide ones halve what these read."""

    def __init__(self, read: int, branch: int, large: tuple[Kernel, ...], kind: tuple[str, str]) -> None:
        super().__init__()
        half = branch // 2
        self.point = conv(read, branch, (1, 1), kind)
        self.small = nn.Sequential(conv(read, half, (1, 1), kind), conv(half, branch, (3, 3), kind))
        widths = [half] + [branch] * len(large)
        wide = [conv(a, b, kernel, kind) for a, b, kernel in zip(widths, widths[1:], large)]
        self.large = nn.Sequential(conv(read, half, (1, 1), kind), *wide)
        self.pooled = nn.Sequential(nn.AvgPool2d(3, 1, padding=1), conv(read, branch, (1, 1), kind))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.point(x), self.small(x), self.large(x), self.pooled(x)], dim=1)


def conv(read: int, out: int, kernel: Kernel, kind: tuple[str, str], stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size, normalised and activated. kind: activation and normalisation by name."""
    activation, normalization = kind
    padding = (kernel[0] // 2, kernel[1] // 2)
    layer = nn.Conv2d(read, out, kernel, stride, padding, bias=normalization == "none")
    norm = normalization_layer(normalization, out, images=True)
    return named(conv=layer, norm=norm, act=activation_layer(activation))
