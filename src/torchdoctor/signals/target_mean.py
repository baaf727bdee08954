"""Signal `target_mean`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="update")
def target_mean(moment: Moment) -> Measured:
    """Mean of floating-point targets, where `loss_fn` is a module and can be listened to."""
    return None if moment.target is None else Columns(("",), [moment.target.float().mean()])
