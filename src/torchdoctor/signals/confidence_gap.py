"""Signal `confidence_gap`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, -1..1", at="logged")
def confidence_gap(moment: Moment) -> Measured:
    """Mean probability of the likeliest class minus accuracy; above 0 the model is too sure."""
    return None
