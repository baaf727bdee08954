"""Convolutions over all channels as depthwise separable ones."""

from __future__ import annotations

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "nn.Conv2d(n, n, 3, padding=1, groups=n, bias=False), nn.Conv2d(n, m, 1)   # for nn.Conv2d(n, m, 3, padding=1)"
    )


@fix(code=code, full_length=True)
def use_depthwise(parts: Parts) -> Parts:
    """Put a filter for each channel by itself and a 1 x 1 convolution in the place of each kernel of 3 x 3 or more.

    Shapes stay, weights are drawn anew; a first layer (fewer than four channels to read) stays as it is. Raises
    BadParts when nothing would get smaller.
    """
    from torchdoctor.fixes.convolutions import with_convolutions
    from torchdoctor.models.factorized import separable

    return with_convolutions(parts, separable, "convolution over all channels that would get smaller")
