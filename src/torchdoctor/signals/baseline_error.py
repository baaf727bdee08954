"""Signal `baseline_error`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1", at="logged", per="baseline")
def baseline_error(moment: Moment) -> Measured:
    """Half the width of the 95 % interval of each baseline's score."""
    return None
