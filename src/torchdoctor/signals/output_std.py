"""Signal `output_std`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward")
def output_std(moment: Moment) -> Measured:
    """Standard deviation of the model's output over batch and units."""
    return None if moment.output is None else Columns(("",), [moment.output.float().std(correction=0)])
