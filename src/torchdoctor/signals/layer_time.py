"""Signal `layer_time`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="s", at="logged", per="module")
def layer_time(moment: Moment) -> Measured:
    """Median forward time of each layer on one batch, in the order of execution."""
    return None
