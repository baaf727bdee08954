"""The mean of each channel instead of dense layers over every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.fixes.settings import must_take
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)   # for nn.Flatten() and the dense layers"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    must_take(recipe, "head")
    return {"model.args.head": "global"}


@fix(code=code, patch=patch, full_length=True)
def use_global_pooling(parts: Parts) -> Parts:
    """Put global average pooling and one layer in the place of the dense layers: Lin and others, arXiv:1312.4400.

    Weights are drawn anew. Raises BadParts when the model pools already, has no dense layers behind a map, or works on
    them with more than modules.
    """
    from torchdoctor.fixes.dense import with_global_pooling
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    return operated(parts, lambda model: with_global_pooling(model, batch))
