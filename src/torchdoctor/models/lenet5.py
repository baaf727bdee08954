"""LeNet-5: two convolutions with pooling, then three dense layers.

LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, Proc. IEEE 1998. Its partly
connected second convolution and trained pooling are left out, as everywhere today; max pooling and ReLU are defaults.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape
from torchdoctor.models.layers import normalization as normalization_layer
from torchdoctor.models.two_parts import Head, pooled

SMALLEST = 8  # pixels a side
WHOLE = 20  # pixels a side from which the second convolution needs no padding, as on the 28 of the original


class LeNet5(nn.Sequential):
    """(N, C, H, W) -> (N, outputs), H and W at least 8. On 1 x 28 x 28 and ten classes: 61,706 parameters."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        activation: str = "relu",
        normalization: str = "none",
        dropout: float = 0.0,
        pool: str = "max",
        head: Head = "dense",
    ) -> None:
        """input_shape: (C, H, W). dropout: of the dense layers. pool: "max" or "average". head: "global" puts average
        pooling and one layer in the place of the dense ones."""
        channels, *sides = image_shape(input_shape, "lenet5", SMALLEST)
        pad_h, pad_w = (0 if side >= WHOLE else 2 for side in sides)
        height, width = ((side // 2 + 2 * pad - 4) // 2 for side, pad in zip(sides, (pad_h, pad_w)))
        pooling = nn.AvgPool2d if pool == "average" else nn.MaxPool2d
        layers: dict[str, nn.Module | None] = {
            "conv1": nn.Conv2d(channels, 6, 5, padding=2),
            "norm1": normalization_layer(normalization, 6, images=True),
            "act1": activation_layer(activation),
            "pool1": pooling(2),
            "conv2": nn.Conv2d(6, 16, 5, padding=(pad_h, pad_w)),
            "norm2": normalization_layer(normalization, 16, images=True),
            "act2": activation_layer(activation),
            "pool2": pooling(2),
            "global": nn.AdaptiveAvgPool2d(pooled((height, width), height, head)) if head != "dense" else None,
            "flatten": nn.Flatten(),
        }
        if head == "dense":
            for i, (read, units) in enumerate(((16 * height * width, 120), (120, 84)), 1):
                layers[f"fc{i}"] = nn.Linear(read, units)
                layers[f"act{i + 2}"] = activation_layer(activation)
                layers[f"drop{i}"] = nn.Dropout(dropout) if dropout else None
        layers["fc3"] = nn.Linear(84 if head == "dense" else 16, outputs)
        super().__init__(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))
