"""What a recipe says of its model.

May not: import torch.
"""

from __future__ import annotations

from typing import Literal

from torchdoctor.recipe.choice import ActivationName, ModelName
from torchdoctor.recipe.section import Args, Section


class Model(Section):
    """What learns."""

    name: ModelName = "lenet5"
    """A model, or the import path of yours; it is given input_shape, outputs, vocabulary, activation and normalization
    if it takes them."""
    activation: ActivationName | None = None
    """The activation of hidden layers; null is the model's own."""
    normalization: Literal["none", "batch"] | None = None
    """What normalises hidden layers; null is the model's own."""
    output: Literal["none", "softmax", "log-softmax", "sigmoid", "relu"] = "none"
    """An activation after the last layer."""
    init: Literal["default", "he", "xavier", "lecun", "orthogonal", "zeros"] = "default"
    """How weights are drawn; default is torch's own way."""
    args: Args = {}
    """Further arguments of the model."""
