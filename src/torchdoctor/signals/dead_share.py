"""Signal `dead_share`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="module")
def dead_share(moment: Moment) -> Measured:
    """Share of a layer's units that were zero for every sample of a window of at least 512 samples; by the watch."""
    return None
