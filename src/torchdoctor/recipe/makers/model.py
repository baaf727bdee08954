"""The model of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from torchdoctor.errors import BadRecipe
from torchdoctor.models.init import initialize
from torchdoctor.models.layers import with_output
from torchdoctor.models.names import MODELS
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.schema import Recipe


def made_model(recipe: Recipe, sizes: Mapping[str, Any]) -> nn.Module:
    """sizes: what a model must know of the data; it is given those that it takes."""
    asked = recipe.model
    function = imported(asked.name, MODELS, "model.name")
    for name in ("activation", "normalization"):
        if getattr(asked, name) is not None and not takes(function, name):
            raise BadRecipe(f"model.{name} = {getattr(asked, name)!r}: {asked.name} takes no {name}; leave it out.")
    settings = {"activation": asked.activation, "normalization": asked.normalization}
    offered = {**sizes, **{name: value for name, value in settings.items() if value is not None}}
    model = called(function, "model.args", asked.args, offered=offered)
    if not isinstance(model, nn.Module):
        raise BadRecipe(f"model.name = {asked.name!r} made a {type(model).__name__}; it must make a Module.")
    initialize(model, asked.init, asked.activation or "relu")
    return with_output(model, asked.output)
