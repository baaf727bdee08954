"""Signal `region_overlap`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="class")
def region_overlap(moment: Moment) -> Measured:
    """Pixels that are of each class and called so, as a share of those that are either (IoU)."""
    return None
