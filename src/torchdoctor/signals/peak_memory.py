"""Signal `peak_memory`."""

from __future__ import annotations

import sys

import torch

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="bytes", at="update")
def peak_memory(moment: Moment) -> Measured:
    """The most memory that was in use so far: of the GPU the model is on by its tensors, else by this process."""
    device = moment.parameters[0].device if moment.parameters else torch.device("cpu")
    if device.type == "cuda":
        return Columns(("",), [float(torch.cuda.max_memory_allocated(device))])
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    most = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return Columns(("",), [most if sys.platform == "darwin" else 1024 * most])
