"""Signal `nonfinite_parameter`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="flag", at="logged", per="parameter")
def nonfinite_parameter(moment: Moment) -> Measured:
    """1 at the step of the first NaN or infinite loss, for parameters that were not finite by then: the update before
    did it."""
    return None
