"""Signal `calibration_noise`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged")
def calibration_noise(moment: Moment) -> Measured:
    """What a perfectly calibrated model's error stays under in 95 % of samples of this size."""
    return None
