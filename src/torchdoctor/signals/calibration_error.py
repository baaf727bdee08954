"""Signal `calibration_error`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged")
def calibration_error(moment: Moment) -> Measured:
    """Expected calibration error of the likeliest class's probability, over equally wide bins."""
    return None
