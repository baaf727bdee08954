"""Signal `skipped_step`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="step")
def skipped_step(moment: Moment) -> Measured:
    """1 where a GradScaler met infinite gradients and left the step out; normal now and then under float16."""
    return Columns(("",), [1.0]) if moment.skipped else None
