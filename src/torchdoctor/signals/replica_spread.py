"""Signal `replica_spread`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="share", at="logged", per="parameter")
def replica_spread(moment: Moment) -> Measured:
    """Difference of a weight's norm to that of another process, over the larger, at steps 0, 1, 2, 4, 8 ..."""
    return None
