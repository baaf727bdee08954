"""What a recipe says of its optimizer.

May not: import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import NonNegativeFloat, model_validator

from torchdoctor.recipe.choice import OptimizerName
from torchdoctor.recipe.names import DEFAULT_RATES
from torchdoctor.recipe.section import Args, Section


class Optimizer(Section):
    """How weights are changed."""

    name: OptimizerName = "sgd"
    """An optimizer, or the import path of one. lbfgs asks for the loss several times a step, on the same batch."""
    lr: NonNegativeFloat = 1e-2
    """The learning rate, per step. When left out: 0.01 for sgd and adagrad, 1 for lbfgs, 0.001 for others."""
    momentum: NonNegativeFloat | None = None
    """Momentum, for sgd and rmsprop; null is the optimizer's own. Nesterov's for sgd: args: {nesterov: true}."""
    weight_decay: NonNegativeFloat | None = None
    """Weight decay; null is the optimizer's own."""
    args: Args = {}
    """Further arguments of the optimizer."""

    @model_validator(mode="before")
    @classmethod
    def _usual_rate(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("lr") is None:
            return {**values, "lr": DEFAULT_RATES.get(str(values.get("name", "sgd")), 1e-3)}
        return values
