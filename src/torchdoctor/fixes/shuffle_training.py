"""Training samples in a new order each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "train = DataLoader(dataset, batch_size=batch_size, shuffle=True)"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"data.shuffle": True}


@fix(code=code, patch=patch)
def shuffle_training(parts: Parts) -> Parts:
    """Draw the order of the training samples anew for each epoch. Raises BadParts where the loader has none to draw."""
    from torchdoctor.fixes.loaders import recut

    return replace(parts, train=recut(parts.train, shuffle=True))
