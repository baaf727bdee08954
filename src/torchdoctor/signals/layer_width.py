"""Signal `layer_width`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="features", at="logged", per="module")
def layer_width(moment: Moment) -> Measured:
    """Numbers that each layer gives per sample, in the order of execution."""
    return None
