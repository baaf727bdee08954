"""Signal `evaluation_mode`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="0 or 1", at="logged")
def evaluation_mode(moment: Moment) -> Measured:
    """Was a layer that acts differently in train() in that mode when validation was measured?

    Of the first forward pass without gradients since the last step, kept when the loop logs a number called val_...
    """
    return None
