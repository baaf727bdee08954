"""Signal `output_max`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def output_max(moment: Moment) -> Measured:
    """Greatest value of the model's output."""
    return None if moment.output is None else Columns(("",), [moment.output.max()])
