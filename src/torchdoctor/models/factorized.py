"""A convolution taken apart into cheaper ones that give a map of the same shape.

Each function takes an nn.Conv2d and gives the layers to put in its place, with weights drawn anew, or None where it
does not apply: grouped convolutions and those that would not get smaller stay.
May not: train, look at names.
"""

from __future__ import annotations

from torch import nn

from torchdoctor.models.init import initialize
from torchdoctor.models.layers import activation as activation_layer

FEWEST = 4  # channels to read: the first layer of a network stays whole, as in all the papers
QUARTER = 4  # by which 1 x 1 layers narrow what a kernel reads and gives: He and others, arXiv:1512.03385, figure 5
Pair = tuple[int, int]


def small_kernels(conv: nn.Conv2d, activation: str = "relu") -> nn.Sequential | None:
    """A 5 x 5 as two 3 x 3, a 7 x 7 as three: 18/25 and 27/49 of the weights (arXiv:1409.1556, arXiv:1512.00567).

    Strides stay whole: at full resolution the small ones would cost more. Widths between are such that the ratio holds.
    """
    k, n = conv.kernel_size[0], (conv.kernel_size[0] - 1) // 2
    if not _whole(conv, least=5) or conv.kernel_size != (k, k) or k % 2 == 0 or max(conv.stride) > 1:
        return None
    padding = _padding(conv)
    widths = [conv.in_channels] + [_between(conv)] * (n - 1) + [conv.out_channels]
    pads = [[p // n + (i < p % n) for i in range(n)] for p in padding]
    convs = [nn.Conv2d(widths[i], widths[i + 1], 3, padding=(pads[0][i], pads[1][i])) for i in range(n)]
    return _if_smaller(conv, convs, activation)


def asymmetric(conv: nn.Conv2d, activation: str = "relu") -> nn.Sequential | None:
    """A k x k as 1 x k and k x 1: 2/k of the weights (arXiv:1512.00567, figure 6). Kernels from 5 x 5 on."""
    if not _whole(conv, least=5):
        return None
    (high, wide), (pad_h, pad_w), (down, right), middle = conv.kernel_size, _padding(conv), conv.stride, _between(conv)
    across = nn.Conv2d(conv.in_channels, middle, (1, wide), (1, right), (0, pad_w))
    along = nn.Conv2d(middle, conv.out_channels, (high, 1), (down, 1), (pad_h, 0))
    return _if_smaller(conv, [across, along], activation)


def separable(conv: nn.Conv2d) -> nn.Sequential | None:
    """Each channel filtered by itself, then a 1 x 1 over all: 1/out + 1/k^2 of the weights (arXiv:1704.04861).

    Nothing nonlinear between the two: Chollet, arXiv:1610.02357, section 4.7, measured it to be better without.
    """
    if not _whole(conv, least=3):
        return None
    read, out = conv.in_channels, conv.out_channels
    depthwise = nn.Conv2d(read, read, _size(conv), _stride(conv), _padding(conv), groups=read, bias=False)
    return _if_smaller(conv, [depthwise, nn.Conv2d(read, out, 1)], "identity")


def bottleneck(conv: nn.Conv2d, activation: str = "relu") -> nn.Sequential | None:
    """A 1 x 1 that narrows, the kernel, a 1 x 1 that widens again (arXiv:1512.03385, figure 5)."""
    narrow = min(conv.in_channels, conv.out_channels) // QUARTER
    if not _whole(conv, least=3) or narrow < FEWEST:
        return None
    middle = nn.Conv2d(narrow, narrow, _size(conv), _stride(conv), _padding(conv))
    convs = [nn.Conv2d(conv.in_channels, narrow, 1), middle, nn.Conv2d(narrow, conv.out_channels, 1)]
    return _if_smaller(conv, convs, activation)


def _whole(conv: nn.Conv2d, least: int) -> bool:
    """Whether the convolution reads all channels at once, through a window of at least `least` pixels a side."""
    plain = conv.groups == 1 and conv.padding_mode == "zeros" and set(conv.dilation) == {1}
    return plain and min(conv.kernel_size) >= least and conv.in_channels >= FEWEST


def _if_smaller(conv: nn.Conv2d, convs: list[nn.Conv2d], activation: str) -> nn.Sequential | None:
    """The layers with activations between them, on the device and in the mode of the one they replace."""
    last = convs[-1]
    if conv.bias is None:
        last.register_parameter("bias", None)
    if sum(p.numel() for c in convs for p in c.parameters()) >= sum(p.numel() for p in conv.parameters()):
        return None
    layers: list[nn.Module] = [convs[0]]
    for after in convs[1:]:
        layers += [after] if activation == "identity" else [activation_layer(activation), after]
    made = nn.Sequential(*layers).to(conv.weight).train(conv.training)
    initialize(made, "he", activation)
    initialize(last, "he", "relu")  # what stood behind the whole one stands behind the last; most often a ReLU
    return made


def _between(conv: nn.Conv2d) -> int:
    """Channels between two layers, such that their weights are as many as those of two from in to out:
    2 in out/(in + out), which is the number itself where both are the same."""
    read, out = conv.in_channels, conv.out_channels
    return max(1, 2 * read * out // (read + out))


def _padding(conv: nn.Conv2d) -> Pair:
    if isinstance(conv.padding, str):  # "same" of an odd kernel, or "valid"
        return (conv.kernel_size[0] // 2, conv.kernel_size[1] // 2) if conv.padding == "same" else (0, 0)
    return (conv.padding[0], conv.padding[1])


def _size(conv: nn.Conv2d) -> Pair:
    return (conv.kernel_size[0], conv.kernel_size[1])


def _stride(conv: nn.Conv2d) -> Pair:
    return (conv.stride[0], conv.stride[1])
