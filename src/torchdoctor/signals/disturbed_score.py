"""Signal `disturbed_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="disturbance")
def disturbed_score(moment: Moment) -> Measured:
    """Accuracy that is left under each disturbance of the inputs, as "noise 0.2" or "pgd 0.1"; "none" is without."""
    return None
