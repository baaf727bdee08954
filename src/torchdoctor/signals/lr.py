"""Signal `lr`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="per step", at="step", per="group")
def lr(moment: Moment) -> Measured:
    """Learning rate of each parameter group; recorded when one of them changes."""
    if not moment.rates_changed:
        return None
    return Columns([str(i) for i in range(len(moment.rates))], list(moment.rates))
