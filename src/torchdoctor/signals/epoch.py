"""Signal `epoch`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="epochs", at="logged")
def epoch(moment: Moment) -> Measured:
    """Number of the epoch that has just ended, from 0; logged by the loop."""
    return None
