"""The loss of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from torchdoctor.errors import BadRecipe
from torchdoctor.losses.weighted import Loss, WeightedSum
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.names import LOSSES
from torchdoctor.recipe.schema import Recipe


def made_loss(recipe: Recipe, class_weights: Tensor | None = None) -> Loss:
    """The loss module; a user's function of (output, target) is taken as it is. class_weights: (K,), for data.balance.

    Raises BadRecipe when the loss takes no weights of classes.
    """
    asked = recipe.loss
    if unknown := [name for name in asked.also_args if name not in asked.also]:
        raise BadRecipe(f"loss.also_args.{unknown[0]}: loss.also has no {unknown[0]!r}; give it a weight there.")
    if asked.name in asked.also:
        raise BadRecipe(f"loss.also.{asked.name}: that is loss.name already; its weight is 1.")
    first = _made(asked.name, "loss.name", asked.args, "loss.args", class_weights)
    if not asked.also:
        return first
    terms = {name: (w, _made(name, "loss.also", asked.also_args.get(name, {}), f"loss.also_args.{name}"))
             for name, w in asked.also.items()}  # fmt: skip
    return WeightedSum({asked.name: (1.0, first), **terms})


def _made(name: str, key: str, args: Mapping[str, Any], args_key: str, class_weights: Tensor | None = None) -> Loss:
    function = imported(name, LOSSES, key)
    offered = {} if class_weights is None else {"weight": class_weights}
    if offered and not takes(function, "weight"):
        raise BadRecipe(f"data.balance = 'weights': {name} takes no weight; use sampler, or cross-entropy.")
    if isinstance(function, type):
        made: Loss = called(function, args_key, args, offered=offered)
        return made
    settings = {**offered, **args}
    return partial(function, **settings) if settings else function
