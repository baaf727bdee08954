"""Signal `grad_norm`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="loss per unit of weight", at="step")
def grad_norm(moment: Moment) -> Measured:
    """L2 norm of all gradients together, when backward has ended and before any clipping, GradScaler's scale divided
    out."""
    return Columns(("",), [moment.gradient_norm])
