"""Signal `param_grad_norm`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="loss per unit of weight", at="backward", per="parameter")
def param_grad_norm(moment: Moment) -> Measured:
    """L2 norm of each parameter's gradient before clipping, GradScaler's scale divided out; only of those that have
    one."""
    return Columns(moment.gradient_names, moment.gradient_norms)
