"""Signal `val_loss`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="nats, or what the loss measures", at="logged")
def val_loss(moment: Moment) -> Measured:
    """Loss over the validation data; logged by the loop."""
    return None
