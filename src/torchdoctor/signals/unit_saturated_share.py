"""Signal `unit_saturated_share`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="module")
def unit_saturated_share(moment: Moment) -> Measured:
    """A vector: for each unit the share of its output near the ends of its layer's range, over the window."""
    return None
