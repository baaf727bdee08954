"""AlexNet: five convolutions, three dense layers.

Krizhevsky, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997: the network of 2012
without its two halves, as torchvision has it. Images under 64 pixels a side get a first layer of 5 x 5 without stride:
the original one (11 x 11, stride 4) would leave nothing for the layers behind it.
"""

from __future__ import annotations

from torch import nn

from torchdoctor.models.init import initialize
from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape
from torchdoctor.models.layers import normalization as normalization_layer
from torchdoctor.models.two_parts import Head, TwoParts, dense_layers, pooled

SMALLEST = 8  # pixels a side
WHOLE = 64  # pixels a side from which the first layer is the original
PLACES = {0: "0", 1: "3", 2: "6", 3: "8", 4: "10"}  # of the convolutions in torchvision's numbering
POOLS = {0: "2", 1: "5", 4: "12"}  # of the poolings behind them


class AlexNet(TwoParts):
    """(N, C, H, W) -> (N, outputs), H and W at least 8. On 3 x 224 x 224 and 1,000 classes: 61,100,840 parameters."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        activation: str = "relu",
        normalization: str = "none",
        dropout: float = 0.5,
        hidden: int = 4096,
        head: Head = "dense",
    ) -> None:
        """hidden: units of the dense layers. head: "global" puts average pooling and one layer in their place."""
        channels, *sides = image_shape(input_shape, "alexnet", SMALLEST)
        whole = min(sides) >= WHOLE
        first = nn.Conv2d(channels, 64, 11, 4, padding=2) if whole else nn.Conv2d(channels, 64, 5, padding=2)
        convs = [first, nn.Conv2d(64, 192, 5, padding=2)]
        convs += [nn.Conv2d(a, b, 3, padding=1) for a, b in ((192, 384), (384, 256), (256, 256))]
        features = nn.Sequential()
        for i, conv in enumerate(convs):
            features.add_module(PLACES[i], conv)
            if norm := normalization_layer(normalization, conv.out_channels, images=True):
                features.add_module(f"norm{i}", norm)
            features.add_module(str(int(PLACES[i]) + 1), activation_layer(activation))
            if i in POOLS:  # ceil_mode changes nothing at 224 and keeps the last pixel of small maps
                features.add_module(POOLS[i], nn.MaxPool2d(3, 2, ceil_mode=True))
        map_h, map_w = pooled((_left(sides[0], whole), _left(sides[1], whole)), 6, head)
        if head == "global":
            classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(256, outputs))
        else:
            fc1, act1, fc2, act2, fc3 = dense_layers(256 * map_h * map_w, hidden, outputs, activation)
            classifier = nn.Sequential(nn.Dropout(dropout), fc1, act1, nn.Dropout(dropout), fc2, act2, fc3)
        super().__init__(features, nn.AdaptiveAvgPool2d((map_h, map_w)), classifier)
        initialize(self, "matched", activation)


def _left(side: int, whole: bool) -> int:
    """Pixels of a side behind the last pooling."""
    side = (side + 4 - 11) // 4 + 1 if whole else side
    for _ in POOLS:
        side = -(-(side - 3) // 2) + 1
    return side
