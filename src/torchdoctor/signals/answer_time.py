"""Signal `answer_time`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="s", at="logged", per="part")
def answer_time(moment: Moment) -> Measured:
    """Median time of an answer: "one" sample, a "batch", and "one, ready": by a copy with its norms folded."""
    return None
