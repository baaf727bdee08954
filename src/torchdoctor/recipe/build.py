"""From a recipe to live parts. Data are read once; weights, order and parts are made anew for every seed.

May not: train, judge.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, partial

import torch
from torch import Tensor

from torchdoctor.data.balance import class_weights, sample_weights
from torchdoctor.data.batches import TensorBatches
from torchdoctor.data.prepared import Prepared
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadRecipe
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Loader, Parts
from torchdoctor.recipe.makers.augment import augmented
from torchdoctor.recipe.makers.data import made_data, sizes_of
from torchdoctor.recipe.makers.loss import made_loss
from torchdoctor.recipe.makers.model import made_model, started
from torchdoctor.recipe.makers.optimizer import made_optimizer
from torchdoctor.recipe.makers.schedule import made_scheduler
from torchdoctor.recipe.makers.sets import Sets
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


def prepared(recipe: Recipe) -> Prepared:
    """What `Recipe.prepared` gives."""
    made = made_data(recipe)
    if not isinstance(made, Prepared):
        raise BadRecipe(f"data.name = {recipe.data.name!r} gives samples one by one; read them by its loaders.")
    return made


def loop_options(recipe: Recipe) -> LoopOptions:
    """How the loop trains a recipe."""
    asked = recipe.train
    same = {field.name for field in fields(LoopOptions)} & set(type(asked).model_fields)
    return LoopOptions(**{name: getattr(asked, name) for name in same}, l1=recipe.loss.l1, l2=recipe.loss.l2)


@dataclass(frozen=True)
class Builder:
    """build(seed) -> Parts. All parts of one builder share the data, which nothing changes."""

    recipe: Recipe

    def __call__(self, seed: int) -> Parts:
        """Parts on the recipe's device. Random numbers are left as the seed and the making of the model leave them, so
        that what training draws (dropout) depends on the seed too."""
        train, val, _ = self._loaders(seed)  # before seeding: only the first build reads the data, which draws numbers
        seed_all(seed)
        targets = self.data.train_y if isinstance(self.data, Splits) else None
        model = started(made_model(self.recipe, sizes_of(self.made)), self.recipe, targets)
        model = model.to(chosen(self.recipe.train.device))
        optimizer = made_optimizer(self.recipe, model)
        loss_fn = made_loss(self.recipe, class_weights=self._class_weights())
        scheduler = made_scheduler(self.recipe, optimizer, _length(train))
        return Parts(model, loss_fn, optimizer, train, val, scheduler)

    def test(self) -> Loader | None:
        """The loader of the test part; None where there is none."""
        return self._loaders(self.recipe.seed)[2]

    @cached_property
    def made(self) -> Prepared | Sets:
        """Divided, limited and prepared tensors on the device, with what is known of them (class names, preparation,
        names of the samples); or the user's own data sets."""
        return made_data(self.recipe)

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class number; none where the data do not know them."""
        return tuple(self.made.classes or ())

    @property
    def data(self) -> Splits | Sets:
        """The tensors alone; or the user's own data sets."""
        return self.made.splits if isinstance(self.made, Prepared) else self.made

    def _class_weights(self) -> Tensor | None:
        """One weight per class, where the recipe asks for them."""
        if self.recipe.data.balance != "weights":
            return None
        y, outputs = self._labels()
        return class_weights(y, outputs).to(y.device)

    def _chances(self) -> Tensor | None:
        """With which each training sample is drawn, where the recipe asks for a balanced sampler."""
        return sample_weights(*self._labels()) if self.recipe.data.balance == "sampler" else None

    def _labels(self) -> tuple[Tensor, int]:
        if not isinstance(self.data, Splits):
            raise BadRecipe(f"data.balance: {self.recipe.data.name} returns data sets; let it balance them itself.")
        return self.data.train_y, sizes_of(self.made)["outputs"]

    def _loaders(self, seed: int) -> tuple[Loader, Loader | None, Loader | None]:
        size, shuffle, data = self.recipe.data.batch_size, self.recipe.data.shuffle, self.data
        if isinstance(data, Splits):
            if self.recipe.data.workers:
                raise BadRecipe(
                    f"data.workers = {self.recipe.data.workers}: {self.recipe.data.name} is in memory; leave it out."
                )
            rank, world = _place()
            plain = TensorBatches(
                data.train_x, data.train_y, size, shuffle, seed, weights=self._chances(), rank=rank, world=world
            )
            plain.preparation = self.made.preparation if isinstance(self.made, Prepared) else None
            train: Loader = augmented(plain, self.recipe, seed, sizes_of(self.made).get("outputs"))
            return train, _in_order(data.val_x, data.val_y, size), _in_order(data.test_x, data.test_y, size)
        workers, generator = self.recipe.data.workers, torch.Generator().manual_seed(seed)
        first = data.loader(data.train, size, workers, shuffle=shuffle, generator=generator)
        vars(first)["preparation"] = data.preparation  # beside the model, for who prepares new samples
        held_out = [None if part is None else data.loader(part, size, workers) for part in (data.val, data.test)]
        outputs = None if data.classes is None else len(data.classes)
        return augmented(first, self.recipe, seed, outputs), held_out[0], held_out[1]


def _in_order(x: Tensor | None, y: Tensor | None, size: int) -> TensorBatches | None:
    return None if x is None or y is None else TensorBatches(x, y, size)


def _place() -> tuple[int, int]:
    """(rank, world): which of how many processes this is, where they train together."""
    there = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if there else (0, 1)


def _length(loader: Loader) -> int | None:
    """Batches in a pass; None where the loader does not say."""
    try:
        return len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None
