"""Another learning rate, everything else as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.errors import BadUnit
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(lr: float | None = None, factor: float | None = None) -> str:
    rate = f"{lr:g}" if lr is not None else f"{factor or 1:g} * lr"
    return f"optimizer = torch.optim.SGD(model.parameters(), lr={rate})   # your optimizer, at this rate"


def patch(recipe: Mapping[str, Any], lr: float | None = None, factor: float | None = None) -> dict[str, Any]:
    return {"optimizer.lr": lr if lr is not None else float(f"{recipe['optimizer']['lr'] * _given(factor):.3g}")}


@fix(code=code, patch=patch, sets="rate")
def set_learning_rate(parts: Parts, *, lr: float | None = None, factor: float | None = None) -> Parts:
    """Set the learning rate, of the first group to `lr`, or multiply it by `factor`; other groups and the schedule keep
    their proportion to it."""
    first = parts.optimizer.param_groups[0]
    base = first.get("max_lr", first.get("initial_lr", first["lr"]))
    if lr is not None and not base:
        return parts.with_optimizer(lr=lr)
    return parts.with_rate(lr / base if lr is not None else _given(factor))


def _given(factor: float | None) -> float:
    if factor is None:
        raise BadUnit("set-learning-rate needs lr or factor, for example Remedy('set-learning-rate', {'factor': 0.1}).")
    return factor
