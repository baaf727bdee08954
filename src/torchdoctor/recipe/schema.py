"""A Recipe describes a training run completely: typed, validated, and unchangeable once made.

    recipe = Recipe.load("recipe.yaml", overrides=("train.epochs=5",))
    recipe.patched({"optimizer.lr": 0.01}).experiment()

May not: import torch (it is validated, patched and shown without it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from torchdoctor.recipe.complain import complaint
from torchdoctor.recipe.section import Section
from torchdoctor.recipe.sections.data import Data
from torchdoctor.recipe.sections.loss import Loss
from torchdoctor.recipe.sections.model import Model
from torchdoctor.recipe.sections.optimizer import Optimizer
from torchdoctor.recipe.sections.schedule import Schedule
from torchdoctor.recipe.sections.train import Train
from torchdoctor.recipe.text import diff, parsed, read, with_values, written

if TYPE_CHECKING:
    from torchdoctor.data.batches import TensorBatches
    from torchdoctor.data.prepared import Prepared
    from torchdoctor.experiment import Experiment


class Recipe(Section):
    """A whole training run."""

    name: str = "recipe"
    """What the run is called."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the split and, unless another is asked for, of weights and order."""
    data: Data = Data()
    model: Model = Model()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    train: Train = Train()

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
        """From a YAML file, with overrides like "train.epochs=5". Raises BadRecipe naming the key and the value."""
        values = with_values({"name": Path(path).stem, **read(Path(path))}, parsed(overrides))
        return cls.from_dict(values, source=str(path))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, source: str = "recipe") -> Recipe:
        """From nested plain values; what is left out takes its default. Raises BadRecipe."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise complaint(error, cls, source) from None

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema of a recipe file, for editors that complete and check."""
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **cls.model_json_schema()}

    def to_dict(self) -> dict[str, Any]:
        """All values, defaults included, as plain JSON values."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """All values, defaults included, as a recipe file."""
        return written(self.to_dict())

    def patched(self, patch: Mapping[str, Any]) -> Recipe:
        """Another recipe, with other values at these places: {"optimizer.lr": 0.01}. Raises BadRecipe."""
        return Recipe.from_dict(with_values(self.to_dict(), patch), source=self.name)

    def diff(self, after: Recipe) -> str:
        """What differs in `after`, as a unified diff of the two files."""
        return diff(self.to_yaml(), after.to_yaml())

    def experiment(self) -> Experiment:
        """The experiment this describes. Nothing is read or built before its build(seed) is called."""
        from torchdoctor.recipe.build import experiment  # needs torch

        return experiment(self)

    def prepared(self) -> Prepared:
        """The data as training reads them, to look at or store: divided, limited and prepared tensors, with the names
        of classes and samples. Raises BadRecipe where the data are data sets, which give samples one by one."""
        from torchdoctor.recipe.build import prepared  # needs torch

        return prepared(self)

    def test(self) -> TensorBatches | Any | None:
        """The loader of the test part, scaled like training; None where the data have none."""
        from torchdoctor.recipe.build import Builder  # needs torch

        return Builder(self).test()
