"""The residual networks of ImageNet, from torchvision, for images of any size and number of channels.

He, Zhang, Ren, Sun, Deep residual learning for image recognition, arXiv:1512.03385. Under 64 pixels a side the first
layer is 3 x 3 without stride, and no pooling follows: the original would divide a small image by 4 before the first
block. All else, and all names of weights, are torchvision's, so its weights can be loaded.
"""

from __future__ import annotations

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.resnet import ResNet as TorchvisionResNet

from torchdoctor.errors import BadParts
from torchdoctor.models.depths import one_of
from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import image_shape, replaced
from torchdoctor.models.layers import normalization as normalization_layer

SMALLEST = 8  # pixels a side
WHOLE = 64  # pixels a side from which the first layers are the original
PLANS: dict[int, tuple[type[BasicBlock | Bottleneck], list[int]]] = {  # table 1 of the paper
    18: (BasicBlock, [2, 2, 2, 2]),
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
    152: (Bottleneck, [3, 8, 36, 3]),
}


class ResNet(TorchvisionResNet):  # type: ignore[misc]  # torchvision has no types
    """(N, C, H, W) -> (N, outputs), H and W at least 8. ResNet-18 on 3 x 224 x 224 and 1,000 classes: 11,689,512
    parameters."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        depth: int = 18,
        activation: str = "relu",
        normalization: str = "batch",
        dropout: float = 0.0,
    ) -> None:
        """depth: 18, 34, 50, 101 or 152. dropout: before the last layer."""
        if depth not in PLANS:
            raise BadParts(f"There is no ResNet-{depth}. Known: {', '.join(map(str, PLANS))}.")
        channels, *sides = image_shape(input_shape, f"resnet{depth}", SMALLEST)
        block, layers = PLANS[depth]
        super().__init__(block, layers, num_classes=outputs, norm_layer=lambda c: _normalization(normalization, c))
        if min(sides) < WHOLE:
            self.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()
        elif channels != 3:
            self.conv1 = nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False)
        replaced(self, nn.ReLU, lambda _: activation_layer(activation))
        if dropout:
            self.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Dropout(dropout))
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")  # as torchvision draws the rest


def _normalization(name: str, channels: int) -> nn.Module:
    return normalization_layer(name, channels, images=True) or nn.Identity()


resnet18, resnet34, resnet50, resnet101, resnet152 = (
    one_of(ResNet, f"resnet{n}", f"ResNet-{n} of ImageNet: see ResNet.", depth=n) for n in PLANS
)
