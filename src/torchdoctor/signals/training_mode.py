"""Signal `training_mode`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="0 or 1", at="forward")
def training_mode(moment: Moment) -> Measured:
    """Was the model in train() mode in the forward pass that led to backward?"""
    return Columns(("",), [float(moment.training)])
