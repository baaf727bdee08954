"""Large kernels as several small ones."""

from __future__ import annotations

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

KINDS = ("3x3", "asymmetric")


def code(by: str = "3x3", activation: str = "relu") -> str:
    if by == "asymmetric":
        return (
            "nn.Conv2d(n, m, (1, 7), padding=(0, 3)), nn.ReLU(), nn.Conv2d(m, m, (7, 1), padding=(3, 0))"
            "   # for nn.Conv2d(n, m, 7, padding=3)"
        )
    return (
        "nn.Conv2d(n, m, 3, padding=1), nn.ReLU(), nn.Conv2d(m, m, 3, padding=1)   # for nn.Conv2d(n, m, 5, padding=2)"
    )


@fix(code=code, full_length=True)
def replace_large_kernels(parts: Parts, *, by: str = "3x3", activation: str = "relu") -> Parts:
    """Put two 3 x 3 in the place of each 5 x 5 (three for a 7 x 7), or 1 x k and k x 1 in that of each k x k.

    by: 3x3 or asymmetric. activation: between the new layers, by its name in recipes. Shapes stay, weights are drawn
    anew; layers with a stride, groups or fewer than four channels to read stay as they are (asymmetric ones may have
    a stride). Raises BadParts when the model has no kernel of at least 5 x 5 that would get smaller.
    """
    if by not in KINDS:
        raise BadParts(f"replace-large-kernels knows no {by!r}. {did_you_mean(by, KINDS)}")
    from torchdoctor.fixes.convolutions import with_convolutions
    from torchdoctor.models.factorized import asymmetric, small_kernels

    apart = small_kernels if by == "3x3" else asymmetric
    return with_convolutions(parts, lambda conv: apart(conv, activation), "kernel of at least 5 x 5")
