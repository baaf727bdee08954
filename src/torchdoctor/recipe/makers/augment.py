"""The augmentation of a recipe, around its training loader."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from torchdoctor.data.augment.foreign import Foreign
from torchdoctor.data.augment.loader import Augmented
from torchdoctor.data.augment.names import AUGMENTATIONS
from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.augment.step import Geometry, Mix, Pixels, Step
from torchdoctor.data.batch import as_batch
from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadRecipe, one_line
from torchdoctor.parts import Loader
from torchdoctor.recipe.imports import called, imported
from torchdoctor.recipe.makers.loss import made_loss
from torchdoctor.recipe.schema import Recipe

LOOKED_AT = 256  # samples of a data set


def augmented(loader: TensorBatches | DataLoader[Any], recipe: Recipe, seed: int, outputs: int | None = None) -> Loader:
    """The loader, or one that changes its samples as the recipe asks. outputs: number of classes.

    Raises BadRecipe or BadParts where that cannot be.
    """
    if not recipe.data.augment:
        return loader
    policy = made_policy(recipe)
    x, y = (loader.x, loader.y) if isinstance(loader, TensorBatches) else _some(loader, recipe)
    if not policy.mixing or y.is_floating_point():
        return Augmented(loader, policy, seed, like=x)
    classes = outputs or 1 + int(y.max())
    _must_take_shares(recipe, policy.mixing, classes)
    return Augmented(loader, policy, seed, classes, x)


def _some(loader: DataLoader[Any], recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Inputs and targets evenly over the data set: what black and white are is read off them."""
    data = loader.dataset
    count = len(data)  # type: ignore[arg-type]  # a data set that is shuffled has a length
    rows = np.unique(np.linspace(0, count - 1, min(count, LOOKED_AT)).astype(int)).tolist()
    batch = as_batch(loader.collate_fn([data[row] for row in rows]))
    if len(batch.inputs) != 1 or not isinstance(batch.inputs[0], Tensor) or not isinstance(batch.target, Tensor):
        raise BadRecipe(f"data.augment: {recipe.data.name} gives more than one input a sample; let it augment itself.")
    return batch.inputs[0], batch.target


def made_policy(recipe: Recipe) -> Policy:
    """The steps of data.augment."""
    return Policy(tuple((name, _step(name, args)) for item in recipe.data.augment for name, args in item.items()))


def _step(name: str, args: dict[str, Any]) -> Step:
    made = called(imported(name, AUGMENTATIONS, "data.augment"), f"data.augment.{name}", _as_pairs(args))
    if isinstance(made, (Geometry, Pixels, Mix)):
        return made
    if not callable(made):
        raise BadRecipe(f"data.augment: {name} made a {type(made).__name__}; give a transform of one sample.")
    return Foreign(name, made)


def _as_pairs(args: dict[str, Any]) -> dict[str, Any]:
    """YAML has lists only; steps are frozen."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in args.items()}


def _must_take_shares(recipe: Recipe, step: str, classes: int) -> None:
    """Mixed samples belong to two classes: not every loss takes that."""
    scores, shares = torch.zeros(2, classes), torch.full((2, classes), 1 / classes)
    try:
        made_loss(recipe)(scores, shares)
    except Exception as error:  # noqa: BLE001 - whatever a loss raises for targets it does not take
        raise BadRecipe(
            f"data.augment: {step} makes targets of shares of classes, shape (N, {classes}), which loss "
            f"{recipe.loss.name} does not take ({one_line(error)}). Use loss.name=cross-entropy, or leave {step} out."
        ) from None
