"""Signal `memory`."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal

STATM = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@signal(unit="bytes", at="update")
def memory(moment: Moment) -> Measured:
    """Memory in use: of the GPU the model is on, else resident memory of this process."""
    device = moment.parameters[0].device if moment.parameters else torch.device("cpu")
    if device.type == "cuda":
        return Columns(("",), [float(torch.cuda.memory_allocated(device))])
    resident = _resident()
    return None if resident is None else Columns(("",), [resident])


def _resident() -> float | None:
    """From /proc, which costs 10 us; None where there is no /proc."""
    try:
        return float(STATM.read_text("ascii").split()[1]) * PAGE
    except OSError:
        return None
