"""Plain gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts, rescheduled

LR, MOMENTUM = 0.01, 0.9


def code(lr: float = LR) -> str:
    return f"optimizer = torch.optim.SGD(model.parameters(), lr={lr:g}, momentum={MOMENTUM:g})"


def patch(recipe: Mapping[str, Any], lr: float = LR) -> dict[str, Any]:
    return {"optimizer.name": "sgd", "optimizer.lr": lr, "optimizer.momentum": MOMENTUM, "optimizer.args": {}}


@fix(code=code, patch=patch, sets="rate")
def use_momentum(parts: Parts, *, lr: float = LR) -> Parts:
    """SGD with a momentum of 0.9 over the parameters the old optimizer held, with their weight decay. A schedule keeps
    its shape, at this rate."""
    from torch.optim import SGD

    old = parts.optimizer.param_groups
    groups = [{"params": g["params"], "weight_decay": g.get("weight_decay") or 0.0} for g in old]
    optimizer = SGD(groups, lr=lr, momentum=MOMENTUM)
    base = old[0].get("initial_lr", old[0]["lr"])
    return replace(
        parts, optimizer=optimizer, scheduler=rescheduled(parts.scheduler, optimizer, lr / base if base else 1)
    )
