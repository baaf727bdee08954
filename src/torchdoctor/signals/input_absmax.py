"""Signal `input_absmax`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def input_absmax(moment: Moment) -> Measured:
    """Largest absolute value in the model's first floating-point input."""
    return None if moment.inputs is None else Columns(("",), [moment.inputs.abs().max()])
