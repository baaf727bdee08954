"""Signal `output_min`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def output_min(moment: Moment) -> Measured:
    """Least value of the model's output."""
    return None if moment.output is None else Columns(("",), [moment.output.min()])
