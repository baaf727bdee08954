"""Signal `layer_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share, 0..1", at="logged", per="module")
def layer_score(moment: Moment) -> Measured:
    """Accuracy of a linear classifier on each layer's features, in the order of execution."""
    return None
