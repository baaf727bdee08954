"""A learning rate that falls to nothing by the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(epochs: int | None = None) -> str:
    return (
        f"scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={epochs or 'epochs'})\n"
        "...\n"
        "scheduler.step()   # after each epoch"
    )


def patch(recipe: Mapping[str, Any], epochs: int | None = None) -> dict[str, Any]:
    return {"schedule.name": "cosine", "schedule.warmup": 0.0, "schedule.per": "epoch", "schedule.args": {}}


@fix(code=code, patch=patch, full_length=True)
def anneal_rate(parts: Parts, *, epochs: int | None = None) -> Parts:
    """Let the rate fall from what it is to nothing along half a cosine, epoch by epoch: long steps find a place and
    short ones settle in it (I. Loshchilov, F. Hutter, "SGDR", 2017). It takes the place of any schedule there is.

    epochs: of the run; an experiment fills it in. The loop must step parts.scheduler once an epoch, as torchdoctor's
    own does. Raises BadParts where the length is not known.
    """
    from torch.optim.lr_scheduler import CosineAnnealingLR

    from torchdoctor.fixes.drop_schedule import drop_schedule

    if epochs is None:
        raise BadParts("anneal-rate needs the epochs of the run, for example Remedy('anneal-rate', {'epochs': 20}).")
    level = drop_schedule.apply(parts)
    return replace(level, scheduler=CosineAnnealingLR(level.optimizer, T_max=epochs))
