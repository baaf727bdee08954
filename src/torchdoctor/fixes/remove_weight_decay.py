"""No weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "optimizer = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=0)   # your optimizer, without decay"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"optimizer.weight_decay": 0.0}


@fix(code=code, patch=patch)
def remove_weight_decay(parts: Parts) -> Parts:
    """Set the optimizer's weight decay to zero, in every group. An optimizer that has none stays as it is."""
    return parts.with_optimizer(**({"weight_decay": 0.0} if "weight_decay" in parts.optimizer.defaults else {}))
