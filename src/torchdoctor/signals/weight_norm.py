"""Signal `weight_norm`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment, norms
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="update", per="parameter")
def weight_norm(moment: Moment) -> Measured:
    """L2 norm of each trainable parameter before the step; of large ones estimated from an even choice of elements."""
    if not moment.before:
        return None
    lengths = norms(moment.before)
    grown = [(p.numel() / b.numel()) ** 0.5 for p, b in zip(moment.parameters, moment.before)]
    return Columns(moment.names, [n if g == 1 else n * g for n, g in zip(lengths, grown)])
