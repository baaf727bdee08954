"""Signal `skipped_step`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="step")
def skipped_step(moment: Moment) -> Measured:
    """1 where a GradScaler met infinite gradients and left the step out; normal now and then under float16.

    A fused optimizer leaves it out by itself: then every step says 0 or 1, since asking would make the host wait.
    """
    return None if moment.skipped is False else Columns(("",), [moment.skipped])
