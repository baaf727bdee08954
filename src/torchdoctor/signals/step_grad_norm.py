"""Signal `step_grad_norm`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="loss per unit of weight", at="update")
def step_grad_norm(moment: Moment) -> Measured:
    """L2 norm of the gradients the optimizer got: after clipping, and 0 where they were cleared before the step."""
    return Columns(("",), [moment.received]) if moment.before else None
