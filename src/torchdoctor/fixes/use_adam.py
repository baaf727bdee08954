"""Another optimizer, at its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts, rescheduled

LR = 1e-3  # Adam's own default


def code(lr: float = LR) -> str:
    return f"optimizer = torch.optim.Adam(model.parameters(), lr={lr:g})"


def patch(recipe: Mapping[str, Any], lr: float = LR) -> dict[str, Any]:
    return {"optimizer.name": "adam", "optimizer.lr": lr, "optimizer.momentum": None, "optimizer.args": {}}


@fix(code=code, patch=patch, sets="rate")
def use_adam(parts: Parts, *, lr: float = LR) -> Parts:
    """Adam over the parameters the old optimizer held. A schedule keeps its shape, at this rate."""
    from torch.optim import Adam

    held = [p for group in parts.optimizer.param_groups for p in group["params"]]
    base = parts.optimizer.param_groups[0].get("initial_lr", parts.optimizer.param_groups[0]["lr"])
    optimizer = Adam(held, lr=lr)
    return replace(
        parts, optimizer=optimizer, scheduler=rescheduled(parts.scheduler, optimizer, lr / base if base else 1)
    )
