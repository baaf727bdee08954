"""VGG: stages of 3 x 3 convolutions with pooling between them, then three dense layers.

Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, arXiv:1409.1556. The
convolutions are torchvision's. Pooling rounds up and the dense layers read the map that is left, so that any size from
8 pixels goes in; on 32 x 32 that is one pixel of 512 channels.
"""

from __future__ import annotations

from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from torchdoctor.errors import BadParts
from torchdoctor.models.depths import one_of
from torchdoctor.models.init import initialize
from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape, replaced
from torchdoctor.models.layers import normalization as normalization_layer
from torchdoctor.models.two_parts import Head, TwoParts, dense_layers, pooled

SMALLEST = 8  # pixels a side
LAYOUTS = {11: "A", 13: "B", 16: "D", 19: "E"}  # table 1 of the paper


class VGG(TwoParts):
    """(N, C, H, W) -> (N, outputs), H and W at least 8. VGG-16 on 3 x 224 x 224 and 1,000 classes: 138,357,544
    parameters."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        depth: int = 16,
        activation: str = "relu",
        normalization: str = "none",
        dropout: float = 0.5,
        hidden: int = 4096,
        head: Head = "dense",
    ) -> None:
        """depth: 11, 13, 16 or 19. hidden: units of the dense layers. head: "global" puts average pooling and one layer
        in their place."""
        if depth not in LAYOUTS:
            raise BadParts(f"There is no VGG-{depth}. Known: {', '.join(map(str, LAYOUTS))}.")
        channels, *sides = image_shape(input_shape, f"vgg{depth}", SMALLEST)
        features = make_layers(cfgs[LAYOUTS[depth]], batch_norm=normalization != "none")
        if channels != 3:
            features[0] = nn.Conv2d(channels, 64, 3, padding=1)
        replaced(features, nn.ReLU, lambda _: activation_layer(activation))
        replaced(features, nn.MaxPool2d, lambda _: nn.MaxPool2d(2, ceil_mode=True))
        if normalization not in ("none", "batch"):
            replaced(features, nn.BatchNorm2d, lambda old: _normalization(normalization, old.num_features))
        map_h, map_w = pooled((-(-sides[0] // 32), -(-sides[1] // 32)), 7, head)
        if head == "global":
            classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(512, outputs))
        else:
            fc1, act1, fc2, act2, fc3 = dense_layers(512 * map_h * map_w, hidden, outputs, activation)
            classifier = nn.Sequential(fc1, act1, nn.Dropout(dropout), fc2, act2, nn.Dropout(dropout), fc3)
        super().__init__(features, nn.AdaptiveAvgPool2d((map_h, map_w)), classifier)
        initialize(self, "matched", activation)


def _normalization(name: str, channels: int) -> nn.Module:
    made = normalization_layer(name, channels, images=True)
    assert made is not None
    return made


vgg11, vgg13, vgg16, vgg19 = (one_of(VGG, f"vgg{n}", f"VGG-{n}: see VGG.", depth=n) for n in LAYOUTS)
