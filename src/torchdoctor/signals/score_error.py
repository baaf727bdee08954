"""Signal `score_error`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1", at="logged", per="part")
def score_error(moment: Moment) -> Measured:
    """Half the width of the 95 % interval of the score of each part: train, val, test."""
    return None
