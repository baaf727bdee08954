"""The loss of a recipe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from torchdoctor.errors import BadRecipe
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.names import LOSSES
from torchdoctor.recipe.schema import Recipe


def made_loss(recipe: Recipe, class_weights: Tensor | None = None) -> Callable[[Any, Any], Tensor]:
    """The loss module; a user's function of (output, target) is taken as it is. class_weights: (K,), for data.balance.

    Raises BadRecipe when the loss takes no weights of classes.
    """
    function = imported(recipe.loss.name, LOSSES, "loss.name")
    offered = {} if class_weights is None else {"weight": class_weights}
    if offered and not takes(function, "weight"):
        raise BadRecipe(f"data.balance = 'weights': {recipe.loss.name} takes no weight; use sampler, or cross-entropy.")
    if isinstance(function, type):
        made: Callable[[Any, Any], Tensor] = called(function, "loss.args", recipe.loss.args, offered=offered)
        return made
    settings = {**offered, **recipe.loss.args}
    return partial(function, **settings) if settings else function
