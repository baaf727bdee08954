"""Signal `class_count`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="samples", at="logged", per="class")
def class_count(moment: Moment) -> Measured:
    """Samples of each class in the evaluated part."""
    return None
