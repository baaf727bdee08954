"""The optimizer of a recipe."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from torchdoctor.errors import BadRecipe
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.names import OPTIMIZERS
from torchdoctor.recipe.schema import Recipe

USUAL = {"lbfgs": {"line_search_fn": "strong_wolfe"}}  # without one, a step of a small batch can end anywhere


def made_optimizer(recipe: Recipe, model: nn.Module) -> Optimizer:
    asked = recipe.optimizer
    function = imported(asked.name, OPTIMIZERS, "optimizer.name")
    args = {name: getattr(asked, name) for name in ("momentum", "weight_decay") if getattr(asked, name) is not None}
    for name in args:
        if not takes(function, name):
            raise BadRecipe(f"optimizer.{name} = {args[name]}: {asked.name} takes no {name}; leave it out.")
    weights = [p for p in model.parameters() if p.requires_grad]
    if not weights:
        raise BadRecipe(f"model.name = {recipe.model.name!r} has no weights to train.")
    usual = USUAL.get(asked.name, {})
    made = called(function, "optimizer.args", {"lr": asked.lr, **args, **asked.args}, weights, offered=usual)
    assert isinstance(made, Optimizer)
    return made
