"""Normalise what hidden layers give, so that depth neither grows nor shrinks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.fixes.settings import must_take
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn

    from torchdoctor.fixes.surgery import Executed


def code() -> str:
    return "nn.Linear(n, m), nn.BatchNorm1d(m), nn.ReLU()   # after each hidden layer; nn.BatchNorm2d(m) after Conv2d"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    must_take(recipe, "normalization")
    return {"model.normalization": "batch"}


@fix(code=code, patch=patch)
def normalize_layers(parts: Parts) -> Parts:
    """Put batch normalisation behind every hidden layer; layer normalisation where a linear layer reads sequences.

    Raises BadParts when the model has no hidden layer.
    """
    from torchdoctor.fixes.surgery import executed, first_batch, is_layer, operated
    from torchdoctor.models.layers import put

    batch = first_batch(parts)

    def change(model: nn.Module) -> nn.Module:
        from torch import nn

        hidden = [e for e in executed(model, batch)[1] if is_layer(e.module)][:-1]
        if not hidden:
            raise BadParts("The model has no hidden layer, so there is nothing to normalise.")
        for layer in hidden:
            model = put(model, layer.name, nn.Sequential(layer.module, _norm(layer)))
        return model

    return operated(parts, change)


def _norm(layer: Executed) -> nn.Module:
    from torch import nn

    output, weight = layer.output, next(layer.module.parameters())
    if output.ndim > 2 and weight.ndim <= 2:  # a linear layer over the last dimension of (N, L, C)
        return nn.LayerNorm(output.shape[-1]).to(weight)
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    if output.ndim not in kinds:
        raise BadParts(f"Layer {layer.name!r} gives {tuple(output.shape)}; normalise it by hand.")
    return kinds[output.ndim](output.shape[1]).to(weight)
