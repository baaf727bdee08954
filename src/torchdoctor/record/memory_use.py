"""How much memory there is, what holds it, and whether an error says that it ran out.

May not: judge, allocate on a device, change a limit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from torchdoctor.errors import one_line

CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# torch has a type for devices alone; on the CPU its allocator raises a RuntimeError that says one of these.
_SAYS = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)
_ASKED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)
_UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
PHASES = ("forward", "backward", "step")


def limit(device: torch.device) -> dict[str, Any] | None:
    """{"bytes": what there is, "of": "GPU", "container" or "machine"}; None where it cannot be told."""
    if device.type == "cuda":
        return {"bytes": float(torch.cuda.get_device_properties(device).total_memory), "of": "GPU"}
    if device.type != "cpu" or not hasattr(os, "sysconf"):
        return None
    try:
        machine = float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    contained = min(_contained(), default=machine)
    return {"bytes": min(machine, contained), "of": "container" if contained < machine else "machine"}


def parts_of(model: nn.Module, optimizer: Optimizer) -> dict[str, float]:
    """Bytes of the weights (and buffers), of the gradients that they get, and of the optimizer's state."""
    trained = [p for p in model.parameters() if p.requires_grad]
    state = (t for of in optimizer.state.values() if isinstance(of, dict) for t in of.values() if isinstance(t, Tensor))
    return {
        "weights": _bytes([*model.parameters(), *model.buffers()]),
        "gradients": _bytes(trained),
        "optimizer state": _bytes(state),
    }


def held(device: torch.device) -> float | None:
    """Bytes in use now: on a GPU by this process's tensors."""
    return float(torch.cuda.memory_allocated(device)) if device.type == "cuda" else None


def out_of_memory(error: object, model: nn.Module) -> dict[str, Any] | None:
    """{"message", "asked": bytes of the allocation that failed, "module", "phase"}; None for any other error.

    module: the innermost one of the model in whose forward pass it happened, "" when in none.
    """
    if not isinstance(error, (torch.OutOfMemoryError, MemoryError, RuntimeError)):
        return None
    certain = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    if not certain and not _SAYS.search(str(error)):
        return None
    amount = _ASKED.search(str(error))
    asked = float(amount[1]) * _UNITS[amount[2].lower()] if amount else None
    names = {id(module): name for name, module in model.named_modules()}
    module, phase, trace = "", "", error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        module = names.get(id(frame.f_locals.get("self")), "") or module
        phase = frame.f_code.co_name if frame.f_code.co_name in PHASES else phase
        trace = trace.tb_next
    return {"message": one_line(error), "asked": asked, "module": module if phase == "forward" else "", "phase": phase}


def _contained() -> Iterable[float]:
    """Limits of a control group; without one the file says "max" or is absent, or names more than any machine has."""
    for file in CGROUPS:
        try:
            yield float(file.read_text("ascii").strip())
        except (OSError, ValueError):
            continue


def _bytes(tensors: Iterable[Tensor]) -> float:
    """Tied weights and views count once."""
    own = {id(t): t.numel() * t.element_size() for t in tensors if not nn.parameter.is_lazy(t)}
    return float(sum(own.values()))
