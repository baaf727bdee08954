"""A network of depthwise separable convolutions: each filters a channel by itself, then 1 x 1 mixes the channels.

Howard and others, MobileNets: efficient convolutional neural networks for mobile vision applications,
arXiv:1704.04861, table 1. A stride is left out where the map would fall under 4 pixels a side, so that small images
go in too; from 128 pixels on it is the paper's.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape, named
from torchdoctor.models.layers import normalization as normalization_layer

SMALLEST = 8  # pixels a side
# (channels, stride) of each block.
PLAN = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


class MobileNet(nn.Module):
    """(N, C, H, W) -> (N, outputs), H and W at least 8. On 3 x 224 x 224 and 1,000 classes: 4,231,976 parameters."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        width: float = 1.0,
        activation: str = "relu",
        normalization: str = "batch",
        dropout: float = 0.0,
    ) -> None:
        """width: multiplies the channels of every layer (the paper's alpha). dropout: before the last layer."""
        super().__init__()
        channels, *sides = image_shape(input_shape, "mobilenet", SMALLEST)
        side, wide = min(sides), _scaled(32, width)
        stride, side = _stride(2, side)
        self.stem = _unit(
            nn.Conv2d(channels, wide, 3, stride, 1, bias=normalization == "none"), activation, normalization
        )
        blocks: list[nn.Module] = []
        for out, asked in PLAN:
            stride, side = _stride(asked, side)
            narrow, wide = wide, _scaled(out, width)
            blocks.append(separable(narrow, wide, stride, activation, normalization))
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(wide, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.fc(self.drop(self.pool(self.blocks(self.stem(x))).flatten(1))))


def separable(narrow: int, wide: int, stride: int, activation: str, normalization: str) -> nn.Sequential:
    """A 3 x 3 convolution of each channel by itself, then a 1 x 1 one over all, each normalised and activated."""
    bias = normalization == "none"
    depthwise = nn.Conv2d(narrow, narrow, 3, stride, padding=1, groups=narrow, bias=bias)
    pointwise = nn.Conv2d(narrow, wide, 1, bias=bias)
    return nn.Sequential(_unit(depthwise, activation, normalization), _unit(pointwise, activation, normalization))


def _unit(conv: nn.Conv2d, activation: str, normalization: str) -> nn.Sequential:
    norm = normalization_layer(normalization, conv.out_channels, images=True)
    return named(conv=conv, norm=norm, act=activation_layer(activation))


def _stride(asked: int, side: int) -> tuple[int, int]:
    """The stride that is used, and the pixels a side behind it."""
    return (2, -(-side // 2)) if asked == 2 and side >= SMALLEST else (1, side)


def _scaled(channels: int, width: float) -> int:
    return max(8, round(channels * width))
