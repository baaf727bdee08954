"""Signal `baseline_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1, higher is better", at="logged", per="baseline")
def baseline_score(moment: Moment) -> Measured:
    """Score of a simple method on the evaluated part: accuracy of classes, else R2."""
    return None
