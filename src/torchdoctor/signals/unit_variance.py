"""Signal `unit_variance`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1", at="logged", per="module")
def unit_variance(moment: Moment) -> Measured:
    """A vector: for each unit of a layer the mean over the window's steps of its output's variance within a step."""
    return None
