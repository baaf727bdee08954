"""Signal `has_grad`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="0 or 1", at="backward", per="parameter")
def has_grad(moment: Moment) -> Measured:
    """Does this trainable parameter have a gradient when backward has ended?"""
    return Columns(moment.names, [float(p.grad is not None) for p in moment.parameters])
