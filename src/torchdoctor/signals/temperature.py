"""Signal `temperature`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1", at="logged")
def temperature(moment: Moment) -> Measured:
    """What logits must be divided by to be calibrated, fitted on validation; above 1 is too sure."""
    return None
