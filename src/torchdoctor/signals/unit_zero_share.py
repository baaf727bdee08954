"""Signal `unit_zero_share`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="module")
def unit_zero_share(moment: Moment) -> Measured:
    """A vector: for each unit of a layer the share of exact zeros over the window, kept with dead_share."""
    return None
