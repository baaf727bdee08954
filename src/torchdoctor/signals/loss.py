"""Signal `loss`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="nats, or what the loss measures", at="step")
def loss(moment: Moment) -> Measured:
    """The training loss of the step: of `loss_fn`, else as logged, else what backward was called on, unscaled."""
    return None if moment.loss is None else Columns(("",), [moment.loss])
