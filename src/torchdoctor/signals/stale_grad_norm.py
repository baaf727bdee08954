"""Signal `stale_grad_norm`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="loss per unit of weight", at="backward")
def stale_grad_norm(moment: Moment) -> Measured:
    """L2 norm of the gradients left over from earlier steps when this step's first backward began, over the parameters
    that the optimizer holds; 0 where they were cleared."""
    return Columns(("",), [moment.stale])
