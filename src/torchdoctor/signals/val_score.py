"""Signal `val_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1, higher is better", at="logged")
def val_score(moment: Moment) -> Measured:
    """Score over the validation data: accuracy, area under the curve or R2; logged by the loop."""
    return None
