"""How long a model takes to answer: one sample, a batch, and one sample by a copy made ready for answering.

The copy has its batch normalisation folded into the layers before it and its dropout taken out, which changes no
answer but by rounding (torch.fx). May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse, remove_dropout

from torchdoctor.data.batch import first_tensor, mapped
from torchdoctor.models.timing import in_turns
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating

ONE, BATCH, READY = "one", "batch", "one, ready"
SAME = 1e-3  # of the answers' own size, by which those of the copy may differ


def answer_times(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, float]:
    """{"one": seconds, "batch": seconds, "one, ready": seconds}, medians in turns; the last one only where there is
    something to fold or take out, torch.fx can follow the model, and the copy answers the same."""
    device = device_of(model)
    batch = mapped(inputs, lambda t: t.to(device))
    one = mapped(batch, lambda t: t[:1])
    with evaluating(model):
        copy = _ready(model)
        ways: dict[str, Callable[[], object]] = {ONE: partial(model, *one), BATCH: partial(model, *batch)}
        if copy is not None and _agree(model, copy, batch):
            ways[READY] = partial(copy, *one)
        return in_turns(ways, device)


def _ready(model: nn.Module) -> nn.Module | None:
    """A folded copy; None where nothing was folded or taken out, or the model cannot be followed."""
    try:
        folded: nn.Module = remove_dropout(fuse(model))  # both work on copies
    except Exception:  # noqa: BLE001 - torch.fx refuses what depends on values, and says so in many ways
        return None
    left = sum(1 for m in folded.modules() if not list(m.children()))
    return folded if left < sum(1 for m in model.modules() if not list(m.children())) else None


def _agree(model: nn.Module, copy: nn.Module, batch: tuple[Any, ...]) -> bool:
    try:
        own, others = first_tensor(model(*batch)).double(), first_tensor(copy(*batch)).double()
    except Exception:  # noqa: BLE001 - a copy that does not run is no copy
        return False
    return bool(torch.linalg.vector_norm(own - others) <= SAME * torch.linalg.vector_norm(own).clamp(min=1e-12))
