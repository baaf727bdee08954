"""Signal `input_std`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def input_std(moment: Moment) -> Measured:
    """Standard deviation of the model's first floating-point input, over everything in the batch."""
    return None if moment.inputs is None else Columns(("",), [moment.inputs.float().std(correction=0)])
