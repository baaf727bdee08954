"""The model of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from torchdoctor.errors import BadRecipe
from torchdoctor.models.freezing import freeze
from torchdoctor.models.init import initialize
from torchdoctor.models.layers import with_output
from torchdoctor.models.names import MODELS, READS_IDS
from torchdoctor.models.output_bias import output_layer, prior, set_output_bias
from torchdoctor.models.pretrained import load_pretrained
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.schema import Recipe

SETTINGS = ("activation", "normalization", "dropout")  # given to models that take them


def made_model(recipe: Recipe, sizes: Mapping[str, Any]) -> nn.Module:
    """The model as drawn. sizes: what a model must know of the data; it is given those that it takes."""
    asked = recipe.model
    function = imported(asked.name, MODELS, "model.name")
    settings = {name: getattr(asked, name) for name in SETTINGS if getattr(asked, name) is not None}
    for name, value in settings.items():
        if not takes(function, name):
            raise BadRecipe(f"model.{name} = {value!r}: {asked.name} takes no {name}; leave it out.")
    if asked.name in READS_IDS and "vocabulary" not in {**sizes, **asked.args}:
        raise BadRecipe(f"model.name = {asked.name!r} reads token ids, and data {recipe.data.name!r} has decimals.")
    if asked.name in MODELS and asked.name not in READS_IDS and "vocabulary" in sizes:
        raise BadRecipe(
            f"model.name = {asked.name!r} reads decimals, and data {recipe.data.name!r} has token ids: choose "
            f"{', '.join(READS_IDS[:-1])} or {READS_IDS[-1]}; of a text, data.features: [words] makes decimals."
        )
    if asked.name in MODELS and sizes["input_shape"] == ():
        raise BadRecipe(
            f"model.name = {asked.name!r} reads rows of numbers, and each sample of {recipe.data.name!r} is a single "
            "one: return x[:, None], which is (N, 1)."
        )
    model = called(function, "model.args", asked.args, offered={**sizes, **settings})
    if not isinstance(model, nn.Module):
        raise BadRecipe(f"model.name = {asked.name!r} made a {type(model).__name__}; it must make a Module.")
    initialize(model, asked.init, asked.activation or "relu")
    return with_output(model, asked.output)


def started(model: nn.Module, recipe: Recipe, targets: Tensor | None) -> nn.Module:
    """The model as training begins with it, in place: pre-trained weights, output bias, frozen layers.

    targets: of the training samples; None where data sets give them one by one. Not needed by who loads a checkpoint.
    """
    asked = recipe.model
    fresh = load_pretrained(model, asked.pretrained) if asked.pretrained is not None else []
    if asked.output_bias == "zero":
        set_output_bias(model, 0.0)
    elif asked.output_bias == "prior":
        if targets is None:
            raise BadRecipe(f"model.output_bias = 'prior': {recipe.data.name} returns data sets; set it in the model.")
        set_output_bias(model, prior(targets, output_layer(model)[1].weight.size(0)))
    if asked.freeze:
        freeze(model, asked.freeze, fresh=fresh)
    return model
