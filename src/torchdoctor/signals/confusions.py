"""Signal `confusions`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="samples", at="logged", per="class")
def confusions(moment: Moment) -> Measured:
    """How many samples of one class are called another, as "7 as 1"; pairs that never happen are left out."""
    return None
