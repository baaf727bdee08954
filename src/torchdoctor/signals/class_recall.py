"""Signal `class_recall`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="class")
def class_recall(moment: Moment) -> Measured:
    """Of the samples of each class, the share that is called so."""
    return None
