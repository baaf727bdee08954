"""Train longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def longer(epochs: int, factor: float = 2.0) -> int:
    return max(1, round(epochs * factor))


def code(factor: float = 2.0) -> str:
    return f"epochs = {factor:g} * epochs"


def patch(recipe: Mapping[str, Any], factor: float = 2.0) -> dict[str, Any]:
    return {"train.epochs": longer(recipe["train"]["epochs"], factor)}


@fix(code=code, patch=patch, epochs=longer, full_length=True)
def more_epochs(parts: Parts, *, factor: float = 2.0) -> Parts:
    """Train `factor` times as many epochs, all else unchanged."""
    return parts
