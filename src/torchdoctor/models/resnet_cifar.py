"""The residual networks for small images: three stages of 16, 32 and 64 channels.

He, Zhang, Ren, Sun, Deep residual learning for image recognition, arXiv:1512.03385, section 4.2; with their shortcuts
of type B (a 1 x 1 convolution) where the shape changes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.models.depths import one_of
from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape
from torchdoctor.models.layers import normalization as normalization_layer


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, or without one."""

    def __init__(
        self, narrow: int, wide: int, stride: int, activation: str, normalization: str, skips: bool = True
    ) -> None:
        super().__init__()
        bias = normalization == "none"
        self.conv1 = nn.Conv2d(narrow, wide, 3, stride, padding=1, bias=bias)
        self.norm1 = normalization_layer(normalization, wide, images=True) or nn.Identity()
        self.act1 = activation_layer(activation)
        self.conv2 = nn.Conv2d(wide, wide, 3, padding=1, bias=bias)
        self.norm2 = normalization_layer(normalization, wide, images=True) or nn.Identity()
        self.act2 = activation_layer(activation)
        same = narrow == wide and stride == 1
        shortcut = nn.Identity() if same else nn.Conv2d(narrow, wide, 1, stride, bias=False)
        self.shortcut = shortcut if skips else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(self.act1(self.norm1(self.conv1(x)))))
        return cast(Tensor, self.act2(y if self.shortcut is None else y + self.shortcut(x)))


class ResNetCifar(nn.Module):
    """(N, C, H, W) -> (N, outputs). depth: 6 n + 2 layers, n blocks a stage (20, 32, 44, 56, 110)."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        depth: int = 20,
        activation: str = "relu",
        normalization: str = "batch",
        dropout: float = 0.0,
        skips: bool = True,
    ) -> None:
        """skips: False leaves the shortcuts out, as the plain networks of the paper. dropout: before the last layer."""
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise BadParts(f"A CIFAR ResNet has 6 n + 2 layers (8, 14, 20, 32, 44, 56, 110); depth is {depth}.")
        channels, _, _ = image_shape(input_shape, f"{'resnet' if skips else 'plain'}{depth}", 8)
        self.conv = nn.Conv2d(channels, 16, 3, padding=1, bias=normalization == "none")
        self.norm = normalization_layer(normalization, 16, images=True) or nn.Identity()
        self.act = activation_layer(activation)
        widths = [16] + [width for width in (16, 32, 64) for _ in range((depth - 2) // 6)]
        self.blocks = nn.Sequential(
            *(Block(a, b, 1 if a == b else 2, activation, normalization, skips) for a, b in pairwise(widths))
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(64, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.act(self.norm(self.conv(x))))
        return cast(Tensor, self.fc(self.drop(self.pool(x).flatten(1))))


def _of_depth(depth: int, *, skips: bool) -> Callable[..., ResNetCifar]:
    name, said = ("resnet", "ResNet") if skips else ("plain", "The plain network")
    whole = f"{said}-{depth} for small images: see ResNetCifar."
    return one_of(ResNetCifar, f"{name}{depth}", whole, depth=depth, skips=skips)


resnet20 = _of_depth(20, skips=True)  # on 3 x 32 x 32 and ten classes: 272,282 parameters
resnet56 = _of_depth(56, skips=True)
plain20 = _of_depth(20, skips=False)
plain56 = _of_depth(56, skips=False)
