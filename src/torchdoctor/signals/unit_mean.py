"""Signal `unit_mean`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1", at="logged", per="module")
def unit_mean(moment: Moment) -> Measured:
    """A vector: for each unit of a layer the mean of its output over the window of dead_share."""
    return None
