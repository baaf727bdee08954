"""A trained run, opened to be evaluated: its recipe built anew, with the weights of a checkpoint.

    run = Opened.of("runs/2026-11-20-lenet")
    run.model, run.loader("test"), run.naming.classes

May not: train, write into the run (a run is never changed afterwards).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from torch import nn

from torchdoctor.data.preparation import BESIDE, Preparation
from torchdoctor.errors import BadCheckpoint, BadParts, BadRun, did_you_mean
from torchdoctor.evaluate.in_order import in_order
from torchdoctor.evaluate.naming import Naming, naming_of
from torchdoctor.parts import Loader, Parts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.checkpoint import load_weights

Part = Literal["train", "val", "test"]
Kept = Literal["best", "last"]


@dataclass(frozen=True, eq=False)
class Opened:
    """folder: the run. checkpoint: which of its two. parts: as the recipe builds them, with the checkpoint's weights in
    the model. test: the loader of the test part. naming: of classes, columns, words and samples."""

    folder: Path
    checkpoint: Kept
    recipe: Recipe
    parts: Parts
    test: Loader | None
    naming: Naming

    @classmethod
    def of(cls, folder: str | Path, checkpoint: Kept = "best") -> Opened:
        """Raises BadRun when the folder holds no recipe, BadCheckpoint when it holds no such checkpoint or one of
        another model, BadRecipe when the recipe can no longer be built."""
        path = Path(folder)
        file = path / "recipe.yaml"
        if not file.is_file():
            hint = "Give a folder that `torchdoctor train` wrote; a model of your own: evaluate(model, loader)."
            raise BadRun(f"{path} holds no recipe.yaml, so its model cannot be built again. {hint}")
        recipe = Recipe.load(file)
        # What was pre-trained is in the checkpoint, and its file may be gone.
        experiment = recipe.patched({"model.pretrained": None}).experiment()
        parts = experiment.build(recipe.seed)
        _must_be_unchanged(path, parts.train)
        _must_be_kept(path, checkpoint)
        load_weights(path / checkpoint, parts.model)
        parts.model.eval()
        given = getattr(
            experiment.build, "test", recipe.test
        )()  # the builder has read the data; the recipe would again
        return cls(path, checkpoint, recipe, parts, given, naming_of(experiment.build))

    @property
    def model(self) -> nn.Module:
        return self.parts.model

    def loader(self, part: Part) -> Loader:
        """In a fixed order, as evaluation needs it, and without augmentation. Raises BadParts where the data have no
        such part."""
        found = self.test if part == "test" else getattr(self.parts, part)
        if found is None:
            there = ", ".join(p for p in get_args(Part) if self._has(p))
            raise BadParts(f"The data of {self.folder} have no {part} part; they have {there}. Choose one with --on.")
        return in_order(found)

    def others(self, on: Part) -> dict[str, Loader]:
        """The parts beside `on` that there are, of training and validation."""
        return {p: self.loader(p) for p in ("train", "val") if p != on and self._has(p)}

    def _has(self, part: str) -> bool:
        return (self.test if part == "test" else getattr(self.parts, part)) is not None


def _must_be_kept(run: Path, checkpoint: Kept) -> None:
    """Raises BadCheckpoint when the run has its other checkpoint alone: `best` needs an epoch with a finite score."""
    there = [name for name in get_args(Kept) if (run / name).is_dir() or (run / f"{name}.old").is_dir()]
    if there and checkpoint not in there:
        raise BadCheckpoint(f"{run} holds no checkpoint {checkpoint!r}, but {there[0]!r}: --checkpoint {there[0]}")


def _must_be_unchanged(run: Path, train: Loader) -> None:
    """Other data are divided and scaled anew: samples that were learnt from could be tested on, by other numbers."""
    now, then = getattr(train, "preparation", None), run / BESIDE
    if not isinstance(now, Preparation) or not then.with_suffix(".json").is_file():
        return
    if not now.learnt_the_same(Preparation.load(then)):
        raise BadRun(
            f"The data of {run} are not those it was trained on: what its preparation learns from them has changed. "
            "Bring the old ones back, or train anew."
        )


def chosen(part: str, checkpoint: str) -> tuple[Part, Kept]:
    """Both as they are, when they are known names. Raises BadParts for others."""
    for name, known in ((part, get_args(Part)), (checkpoint, get_args(Kept))):
        if name not in known:
            raise BadParts(f"There is no {name!r} here. {did_you_mean(name, known)}")
    return cast(Part, part), cast(Kept, checkpoint)
