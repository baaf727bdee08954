"""Signal `phase_time`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="s", at="step", per="phase")
def phase_time(moment: Moment) -> Measured:
    """Host time of the step by phase: data (waiting for a DataLoader), forward, backward, optimizer, rest (all else).

    On a GPU the host runs ahead of the device, and a phase holds the time of its kernels only where the loop waits.
    """
    return Columns(tuple(moment.phases), list(moment.phases.values()))
