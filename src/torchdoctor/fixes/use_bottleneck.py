"""Wide convolutions between 1 x 1 ones that narrow and widen."""

from __future__ import annotations

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(activation: str = "relu") -> str:
    return (
        "nn.Conv2d(n, n // 4, 1), nn.ReLU(), nn.Conv2d(n // 4, n // 4, 3, padding=1), nn.ReLU(), "
        "nn.Conv2d(n // 4, n, 1)   # for nn.Conv2d(n, n, 3, padding=1)"
    )


@fix(code=code, full_length=True)
def use_bottleneck(parts: Parts, *, activation: str = "relu") -> Parts:
    """Narrow what each kernel of 3 x 3 or more reads to a quarter of the channels, and widen what it gives again.

    activation: between the new layers, by its name in recipes. Shapes stay, weights are drawn anew. Raises BadParts
    when no convolution has sixteen channels on both sides.
    """
    from torchdoctor.fixes.convolutions import with_convolutions
    from torchdoctor.models.factorized import bottleneck

    return with_convolutions(parts, lambda conv: bottleneck(conv, activation), "wide convolution")
