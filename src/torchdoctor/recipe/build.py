"""From a recipe to live parts. Data are read once; weights, order and parts are made anew for every seed.

May not: train, judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from torchdoctor.data.batch import as_batch
from torchdoctor.data.batches import TensorBatches
from torchdoctor.data.names import DATA
from torchdoctor.data.scaling import scaling
from torchdoctor.data.splits import Splits, as_splits, divided, limited
from torchdoctor.errors import BadRecipe
from torchdoctor.experiment import Experiment
from torchdoctor.models.init import initialize
from torchdoctor.models.layers import with_output
from torchdoctor.models.names import MODELS
from torchdoctor.parts import Loader, Parts
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.names import LOSSES, OPTIMIZERS, SCHEDULES
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.device import chosen
from torchdoctor.train.loop import LoopOptions, fit
from torchdoctor.train.seed import seed_all

Sets = tuple[Dataset[Any], ...]  # training, validation and perhaps test


def experiment(recipe: Recipe) -> Experiment:
    """The experiment a recipe describes; nothing is read or made before its build(seed) is called."""
    return Experiment(
        Builder(recipe),
        epochs=recipe.train.epochs,
        fit=partial(fit, options=loop_options(recipe)),
        name=recipe.name,
        recipe=recipe.to_dict(),
    )


def loop_options(recipe: Recipe) -> LoopOptions:
    """How the loop trains a recipe."""
    asked = recipe.train
    return LoopOptions(asked.clip_norm, asked.accumulate, asked.precision, asked.patience, asked.threads)


@dataclass(frozen=True)
class Builder:
    """build(seed) -> Parts. All parts of one builder share the data, which nothing changes."""

    recipe: Recipe

    def __call__(self, seed: int) -> Parts:
        """Parts on the recipe's device. Random numbers are left as the seed and the making of the model leave them, so
        that what training draws (dropout) depends on the seed too."""
        train, val, _ = self._loaders(seed)  # before seeding: only the first build reads the data, which draws numbers
        seed_all(seed)
        model = self._model(train).to(chosen(self.recipe.train.device))
        optimizer = _optimizer(self.recipe, model)
        return Parts(model, _loss(self.recipe), optimizer, train, val, _scheduler(self.recipe, optimizer))

    def test(self) -> Loader | None:
        """The loader of the test part; None where there is none."""
        return self._loaders(self.recipe.seed)[2]

    @cached_property
    def data(self) -> Splits | Sets:
        """Divided, limited and scaled tensors on the device; or the user's own data sets."""
        recipe, asked = self.recipe, self.recipe.data
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

    def _loaders(self, seed: int) -> tuple[Loader, Loader | None, Loader | None]:
        size, shuffle, data = self.recipe.data.batch_size, self.recipe.data.shuffle, self.data
        if isinstance(data, Splits):
            train = TensorBatches(data.train_x, data.train_y, size, shuffle, seed)
            return train, _in_order(data.val_x, data.val_y, size), _in_order(data.test_x, data.test_y, size)
        generator = torch.Generator().manual_seed(seed)
        first: Loader = DataLoader(data[0], size, shuffle, generator=generator)
        return first, DataLoader(data[1], size), DataLoader(data[2], size) if len(data) > 2 else None

    def _model(self, train: Loader) -> nn.Module:
        asked = self.recipe.model
        function = imported(asked.name, MODELS, "model.name")
        for name in ("activation", "normalization"):
            if getattr(asked, name) is not None and not takes(function, name):
                raise BadRecipe(f"model.{name} = {getattr(asked, name)!r}: {asked.name} takes no {name}; leave it out.")
        settings = {"activation": asked.activation, "normalization": asked.normalization}
        offered = {**self._sizes(train), **{name: value for name, value in settings.items() if value is not None}}
        model = called(function, "model.args", asked.args, offered=offered)
        if not isinstance(model, nn.Module):
            raise BadRecipe(f"model.name = {asked.name!r} made a {type(model).__name__}; it must make a Module.")
        initialize(model, asked.init, asked.activation or "relu")
        return with_output(model, asked.output)

    def _sizes(self, train: Loader) -> dict[str, Any]:
        """What a model must know of the data: input_shape, outputs, and of token ids the vocabulary."""
        if not isinstance(self.data, Splits):
            inputs, _ = as_batch(next(iter(DataLoader(self.data[0], 1))))
            return {"input_shape": tuple(inputs[0].shape[1:])}
        x, targets = self.data.train_x, [y for y in self.data[1::2] if y is not None]
        sizes = {"input_shape": tuple(x.shape[1:]), "outputs": _outputs(targets)}
        if x.is_floating_point():
            return sizes
        return {**sizes, "vocabulary": 1 + max(int(part.max()) for part in self.data[0::2] if part is not None)}


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


def _in_order(x: Tensor | None, y: Tensor | None, size: int) -> TensorBatches | None:
    return None if x is None or y is None else TensorBatches(x, y, size)


def _loss(recipe: Recipe) -> Callable[[Any, Any], Tensor]:
    """The loss module; a user's function of (output, target) is taken as it is."""
    function = imported(recipe.loss.name, LOSSES, "loss.name")
    if isinstance(function, type):
        made: Callable[[Any, Any], Tensor] = called(function, "loss.args", recipe.loss.args)
        return made
    return partial(function, **recipe.loss.args) if recipe.loss.args else function


def _optimizer(recipe: Recipe, model: nn.Module) -> Optimizer:
    asked = recipe.optimizer
    function = imported(asked.name, OPTIMIZERS, "optimizer.name")
    args = {name: getattr(asked, name) for name in ("momentum", "weight_decay") if getattr(asked, name) is not None}
    for name in args:
        if not takes(function, name):
            raise BadRecipe(f"optimizer.{name} = {args[name]}: {asked.name} takes no {name}; leave it out.")
    weights = [p for p in model.parameters() if p.requires_grad]
    if not weights:
        raise BadRecipe(f"model.name = {recipe.model.name!r} has no weights to train.")
    made = called(function, "optimizer.args", {"lr": asked.lr, **args, **asked.args}, weights)
    assert isinstance(made, Optimizer)
    return made


def _scheduler(recipe: Recipe, optimizer: Optimizer) -> Any:
    asked = recipe.schedule
    if asked.name == "none":
        return None
    function = imported(asked.name, SCHEDULES, "schedule.name")
    usual: dict[str, dict[str, Any]] = {
        "step": {"step_size": max(1, recipe.train.epochs // 3)},
        "exponential": {"gamma": 0.95},
        "cosine": {"T_max": recipe.train.epochs},
    }
    return called(function, "schedule.args", asked.args, optimizer, offered=usual.get(asked.name))
