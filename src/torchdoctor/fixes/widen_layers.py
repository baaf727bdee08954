"""More units in every hidden layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn

FACTOR = 4


def code(factor: int = FACTOR) -> str:
    return f"hidden = {factor} * hidden   # units of every hidden layer; a layer of 64 where there is none"


@fix(code=code)
def widen_layers(parts: Parts, *, factor: int = FACTOR) -> Parts:
    """Draw every layer anew with `factor` times the hidden units; put a hidden layer of 64 into a model that is one
    dense layer.

    Raises BadParts when the layers are no chain, or of kinds that torchdoctor cannot draw anew in another width.
    """
    from torchdoctor.fixes.surgery import first_batch, operated
    from torchdoctor.probes.wider import widened

    batch = first_batch(parts)

    def change(model: nn.Module) -> nn.Module:
        wide = widened(model, batch, factor)
        if wide is None:
            raise BadParts("The layers of the model are no plain chain; widen them in its code.")
        return wide

    return operated(parts, change)
