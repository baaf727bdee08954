"""Signal `output_mean`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def output_mean(moment: Moment) -> Measured:
    """Mean of the model's output."""
    return None if moment.output is None else Columns(("",), [moment.output.float().mean()])
