"""The data of a recipe, read, divided and scaled; and what a model must know of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from torchdoctor.data.batch import as_batch
from torchdoctor.data.names import DATA
from torchdoctor.data.scaling import scaling
from torchdoctor.data.splits import Splits, as_splits, divided, limited
from torchdoctor.errors import BadRecipe
from torchdoctor.models.names import MODELS
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.device import chosen
from torchdoctor.train.seed import seed_all

Sets = tuple[Dataset[Any], ...]  # training, validation and perhaps test


def made_data(recipe: Recipe) -> Splits | Sets:
    """Divided, limited and scaled tensors on the device; or the user's own data sets."""
    asked = recipe.data
    function = imported(asked.name, DATA, "data.name")
    offered = {"root": asked.root, "seed": recipe.seed}
    if asked.root is not None and not takes(function, "root"):
        raise BadRecipe(f"data.root = {asked.root!r}: data set {asked.name!r} takes no root; leave it out.")
    seed_all(recipe.seed)  # for functions that draw from the global generators
    given = called(function, "data.args", asked.args, offered=offered)
    if _are_sets(given):
        return _plain_sets(given, recipe)
    splits = divided(as_splits(given, asked.name), asked.split, recipe.seed)
    return _prepared(limited(splits, asked.limit, recipe.seed), recipe)


def sizes_of(data: Splits | Sets) -> dict[str, Any]:
    """What a model must know of the data: input_shape, outputs, and of token ids the vocabulary."""
    if not isinstance(data, Splits):
        inputs, _ = as_batch(next(iter(DataLoader(data[0], 1))))
        return {"input_shape": tuple(inputs[0].shape[1:])}
    x, targets = data.train_x, [y for y in data[1::2] if y is not None]
    sizes = {"input_shape": tuple(x.shape[1:]), "outputs": _outputs(targets)}
    if x.is_floating_point():
        return sizes
    return {**sizes, "vocabulary": 1 + max(int(part.max()) for part in data[0::2] if part is not None)}


def _prepared(splits: Splits, recipe: Recipe) -> Splits:
    """Scaled by the training samples, as float32 (token ids stay what they are), on the device.

    Decimals (N,) become (N, 1) for a model that is told how many outputs it needs, because that model gives (N, 1), and
    a loss would broadcast the two against each other.
    """
    asked, device = recipe.data, chosen(recipe.train.device)
    ids = splits.train_x.dtype == torch.int64
    if ids and asked.scale != "none":
        raise BadRecipe(f"data.scale = {asked.scale!r}: the inputs are whole numbers (ids); give decimals, or none.")
    if asked.target_scale != "none" and not splits.train_y.is_floating_point():
        raise BadRecipe(f"data.target_scale = {asked.target_scale!r}: the targets are classes, not decimals.")
    inputs = _same if ids else scaling(splits.train_x, asked.scale)
    targets = _same if asked.target_scale == "none" else scaling(splits.train_y, asked.target_scale)
    wide = splits.train_y.is_floating_point() and takes(imported(recipe.model.name, MODELS, "model.name"), "outputs")

    def prepared(tensor: Tensor, is_target: bool) -> Tensor:
        ready = (targets if is_target else inputs)(tensor).to(device)
        return ready[:, None] if is_target and wide and ready.ndim == 1 else ready

    return Splits(*(None if t is None else prepared(t, i % 2 == 1) for i, t in enumerate(splits)))  # type: ignore[arg-type]


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _outputs(targets: list[Tensor]) -> int:
    """How many outputs fit the targets: one per class, or per column."""
    if not targets[0].is_floating_point() and targets[0].ndim == 1:
        return 1 + max(int(y.max()) for y in targets)
    return 1 if targets[0].ndim == 1 else targets[0].shape[1]


def _are_sets(given: Any) -> bool:
    return (
        isinstance(given, (tuple, list)) and len(given) in (2, 3) and all(isinstance(part, Dataset) for part in given)
    )


def _plain_sets(given: Any, recipe: Recipe) -> Sets:
    for name, plain in (("scale", "none"), ("target_scale", "none"), ("limit", None)):
        if getattr(recipe.data, name) != plain:
            value = getattr(recipe.data, name)
            raise BadRecipe(f"data.{name} = {value!r}: {recipe.data.name} returns data sets; let it do this itself.")
    return tuple(given)
