"""Signal `nonfinite_module`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="flag", at="logged", per="module")
def nonfinite_module(moment: Moment) -> Measured:
    """1 at the step of the first NaN or infinite loss, for the first module whose output was not finite; `input` or
    `loss_fn` where it lay outside the model."""
    return None
