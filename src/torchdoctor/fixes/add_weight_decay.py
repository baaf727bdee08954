"""Pull weights towards zero, against overfitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

DECAY = 5e-4  # what the classic image nets were trained with; with decoupled decay 1e-2 is more usual


def code(weight_decay: float = DECAY) -> str:
    return f"optimizer = torch.optim.SGD(model.parameters(), lr=lr, weight_decay={weight_decay:g})   # your optimizer"


def patch(recipe: Mapping[str, Any], weight_decay: float = DECAY) -> dict[str, Any]:
    return {"optimizer.weight_decay": weight_decay}


@fix(code=code, patch=patch, full_length=True)
def add_weight_decay(parts: Parts, *, weight_decay: float = DECAY) -> Parts:
    """Set the optimizer's weight decay, in every group. Raises BadParts when it has none."""
    if "weight_decay" not in parts.optimizer.defaults:
        name = type(parts.optimizer).__name__
        raise BadParts(f"{name} has no weight_decay. Add a penalty to the loss, or use SGD, Adam or AdamW.")
    return parts.with_optimizer(weight_decay=weight_decay)
