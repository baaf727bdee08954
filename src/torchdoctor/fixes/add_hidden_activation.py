"""Put an activation where two layers with weights follow each other with nothing between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.fixes.settings import must_take
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn


def code() -> str:
    return "nn.Linear(n, m), nn.ReLU(), nn.Linear(m, k)   # an activation behind every hidden layer"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    must_take(recipe, "activation")
    return {"model.activation": "relu"}


@fix(code=code, patch=patch)
def add_hidden_activation(parts: Parts) -> Parts:
    """Put a ReLU in front of the second of any two layers between which everything is affine.

    Raises BadParts when there is no such pair.
    """
    from torch import nn

    from torchdoctor.fixes.surgery import first_batch, operated
    from torchdoctor.models.layers import put
    from torchdoctor.probes.fork import forked
    from torchdoctor.probes.linear_links import SAMPLES, found_links
    from torchdoctor.probes.sample import head

    batch = first_batch(parts)
    links, _ = found_links(forked(parts).model.eval(), head(batch, SAMPLES))
    if not links:
        raise BadParts("Between any two layers of the model something bends already, so there is nothing to add.")

    def change(model: nn.Module) -> nn.Module:
        for _, second in links:
            model = put(model, second, nn.Sequential(nn.ReLU(), model.get_submodule(second)))
        return model

    return operated(parts, change)
