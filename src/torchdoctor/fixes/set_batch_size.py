"""Batches of another size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

SIZE = 32  # what small networks are usually trained with


def code(batch_size: int = SIZE) -> str:
    return f"train = DataLoader(dataset, batch_size={batch_size}, shuffle=True)"


def patch(recipe: Mapping[str, Any], batch_size: int = SIZE) -> dict[str, Any]:
    return {"data.batch_size": batch_size}


@fix(code=code, patch=patch)
def set_batch_size(parts: Parts, *, batch_size: int = SIZE) -> Parts:
    """Cut the training samples into batches of `batch_size`: smaller ones make more updates an epoch."""
    from torchdoctor.fixes.loaders import recut

    return replace(parts, train=recut(parts.train, batch_size=batch_size))
