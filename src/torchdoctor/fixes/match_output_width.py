"""As many outputs as a sample has targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import Tensor


def code() -> str:
    return "self.head = nn.Linear(features, targets.shape[-1])   # one output for each target of a sample"


@fix(code=code)
def match_output_width(parts: Parts) -> Parts:
    """Draw the last layer anew, with as many units as each sample has targets.

    Raises BadParts where targets are class numbers, where the widths agree already, and where the output does not come
    out of a layer as it is.
    """
    from torchdoctor.fixes.head import with_width
    from torchdoctor.fixes.surgery import first_batch, operated, trial

    batch = first_batch(parts)
    width = _width(trial(parts.model, batch), batch.target)
    return operated(parts, lambda model: with_width(model, batch, width))


def _width(output: Tensor, target: Tensor) -> int:
    if not target.is_floating_point():
        raise BadParts("The targets are whole numbers; score-each-class gives classes an output each.")
    width = target.shape[-1] if target.ndim > 1 else 1
    if output.ndim < 2 or output.shape[-1] == width:
        raise BadParts(f"Outputs {tuple(output.shape)} and targets {tuple(target.shape)} have one width already.")
    return width
