"""What a recipe says of its model.

May not: import torch.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from torchdoctor.recipe.choice import ActivationName, ModelName
from torchdoctor.recipe.section import Args, Section


class Model(Section):
    """What learns."""

    name: ModelName = "lenet5"
    """A model, or the import path of yours; it is given input_shape, outputs, vocabulary, activation, normalization and
    dropout if it takes them."""
    activation: ActivationName | None = None
    """The activation of hidden layers; null is the model's own."""
    normalization: Literal["none", "batch", "layer", "group"] | None = None
    """What normalises hidden layers; null is the model's own."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Share of numbers set to zero in training, where the model drops any; null is the model's own."""
    output: Literal["none", "softmax", "log-softmax", "sigmoid", "relu"] = "none"
    """An activation after the last layer."""
    init: Literal["default", "matched", "he", "xavier", "lecun", "orthogonal", "truncated-normal", "zeros"] = "default"
    """How weights are drawn: default is the model's own way, matched what suits the activation. Biases become zero."""
    output_bias: Literal["default", "zero", "prior"] = "default"
    """Bias of the last layer: prior starts at the base rates of the training targets."""
    pretrained: str | None = None
    """Weights to start from: a safetensors file, a run or checkpoint folder, a file of torch.save, or torchvision's
    name. A head of another shape is left as drawn."""
    freeze: Literal["all-but-head"] | list[str] = []
    """Layers that are not trained: patterns of names, such as [features, "layer[12].*"], or all-but-head."""
    args: Args = {}
    """Further arguments of the model."""
