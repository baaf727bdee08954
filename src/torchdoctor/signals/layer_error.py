"""Signal `layer_error`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="module")
def layer_error(moment: Moment) -> Measured:
    """Half the width of the 95 % interval of each layer's score."""
    return None
