"""Signal `train_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1, higher is better", at="logged")
def train_score(moment: Moment) -> Measured:
    """Score over (a part of) the training data in eval mode; logged by the loop."""
    return None
