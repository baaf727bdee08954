"""Signal `class_precision`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="class")
def class_precision(moment: Moment) -> Measured:
    """Of the samples that are called so, the share that is of the class."""
    return None
