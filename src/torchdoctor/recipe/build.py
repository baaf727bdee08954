"""From a recipe to live parts. Data are read once; weights, order and parts are made anew for every seed.

May not: train, judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from torchdoctor.data.batches import TensorBatches
from torchdoctor.data.splits import Splits
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Loader, Parts
from torchdoctor.recipe.makers.augment import augmented
from torchdoctor.recipe.makers.data import Sets, made_data, sizes_of
from torchdoctor.recipe.makers.loss import made_loss
from torchdoctor.recipe.makers.model import made_model
from torchdoctor.recipe.makers.optimizer import made_optimizer
from torchdoctor.recipe.makers.schedule import made_scheduler
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.device import chosen
from torchdoctor.train.loop import LoopOptions, fit
from torchdoctor.train.seed import seed_all


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
        model = made_model(self.recipe, sizes_of(self.data)).to(chosen(self.recipe.train.device))
        optimizer = made_optimizer(self.recipe, model)
        return Parts(model, made_loss(self.recipe), optimizer, train, val, made_scheduler(self.recipe, optimizer))

    def test(self) -> Loader | None:
        """The loader of the test part; None where there is none."""
        return self._loaders(self.recipe.seed)[2]

    @cached_property
    def data(self) -> Splits | Sets:
        """Divided, limited and scaled tensors on the device; or the user's own data sets."""
        return made_data(self.recipe)

    def _loaders(self, seed: int) -> tuple[Loader, Loader | None, Loader | None]:
        size, shuffle, data = self.recipe.data.batch_size, self.recipe.data.shuffle, self.data
        if isinstance(data, Splits):
            train: Loader = TensorBatches(data.train_x, data.train_y, size, shuffle, seed)
            train = augmented(train, self.recipe, seed, sizes_of(data).get("outputs"))
            return train, _in_order(data.val_x, data.val_y, size), _in_order(data.test_x, data.test_y, size)
        generator = torch.Generator().manual_seed(seed)
        first: Loader = augmented(DataLoader(data[0], size, shuffle, generator=generator), self.recipe, seed)
        return first, DataLoader(data[1], size), DataLoader(data[2], size) if len(data) > 2 else None


def _in_order(x: Tensor | None, y: Tensor | None, size: int) -> TensorBatches | None:
    return None if x is None or y is None else TensorBatches(x, y, size)
