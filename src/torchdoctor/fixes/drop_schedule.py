"""One learning rate for the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "# leave the scheduler out, or step it where its numbers count:\n"
        "for epoch in range(epochs):\n"
        "    for inputs, target in train:\n"
        "        ...\n"
        "        optimizer.step()      # a schedule that counts steps (one-cycle, warm-up): scheduler.step() here\n"
        "    ...                       # a schedule that counts epochs (step, cosine): scheduler.step() here"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"schedule.name": "none", "schedule.warmup": 0.0, "schedule.per": None, "schedule.args": {}}


@fix(code=code, patch=patch)
def drop_schedule(parts: Parts) -> Parts:
    """Train at the rate that the schedule begins from, or works up to, all the time.

    A loop that steps a scheduler gets one that changes nothing.
    """
    from torch.optim.lr_scheduler import LambdaLR

    twin = parts.with_optimizer()
    for group in twin.optimizer.param_groups:
        group["lr"] = abs(group.get("max_lr", group.get("initial_lr", group["lr"])))
    scheduler = None if parts.scheduler is None else LambdaLR(twin.optimizer, lambda _: 1.0)
    return replace(twin, scheduler=scheduler)
