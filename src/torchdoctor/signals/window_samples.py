"""Signal `window_samples`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="samples", at="logged", per="module")
def window_samples(moment: Moment) -> Measured:
    """How many samples the window of dead_share held; fewer than 512 only for the last one of a run."""
    return None
