"""A multilayer perceptron: dense layers with an activation between them."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from torchdoctor.models.layers import activation as activation_layer
from torchdoctor.models.layers import normalization as normalization_layer


class MLP(nn.Sequential):
    """(N, ...) -> (N, outputs). Images are flattened."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        hidden: Sequence[int] = (128, 128),
        activation: str = "relu",
        normalization: str = "none",
        dropout: float = 0.0,
    ) -> None:
        """hidden: units of each hidden layer. dropout: share of hidden units set to zero in training."""
        layers: dict[str, nn.Module | None] = {"flatten": nn.Flatten()}
        width = math.prod(input_shape)
        for i, units in enumerate(hidden, 1):
            layers[f"fc{i}"] = nn.Linear(width, units)
            layers[f"norm{i}"] = normalization_layer(normalization, units, images=False)
            layers[f"act{i}"] = activation_layer(activation)
            layers[f"drop{i}"] = nn.Dropout(dropout) if dropout else None
            width = units
        layers[f"fc{len(hidden) + 1}"] = nn.Linear(width, outputs)
        super().__init__(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))
