"""The loss of a recipe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from torchdoctor.recipe.imports import called, imported
from torchdoctor.recipe.names import LOSSES
from torchdoctor.recipe.schema import Recipe


def made_loss(recipe: Recipe) -> Callable[[Any, Any], Tensor]:
    """The loss module; a user's function of (output, target) is taken as it is."""
    function = imported(recipe.loss.name, LOSSES, "loss.name")
    if isinstance(function, type):
        made: Callable[[Any, Any], Tensor] = called(function, "loss.args", recipe.loss.args)
        return made
    return partial(function, **recipe.loss.args) if recipe.loss.args else function
