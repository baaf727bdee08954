"""Signal `nonfinite_gradient`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="flag", at="logged", per="parameter")
def nonfinite_gradient(moment: Moment) -> Measured:
    """1 at the step of the first NaN or infinite gradient under a finite loss, for the parameters concerned."""
    return None
