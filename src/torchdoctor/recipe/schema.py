"""A Recipe describes a training run completely: typed, validated, and unchangeable once made.

    recipe = Recipe.load("recipe.yaml", overrides=("train.epochs=5",))
    recipe.patched({"optimizer.lr": 0.01}).experiment()

May not: import torch (it is validated, patched and shown without it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from torchdoctor.errors import did_you_mean
from torchdoctor.recipe.choice import ActivationName, DataName, LossName, ModelName, OptimizerName, ScheduleName
from torchdoctor.recipe.complain import complaint
from torchdoctor.recipe.names import DEFAULT_RATES
from torchdoctor.recipe.text import diff, parsed, read, with_values, written

if TYPE_CHECKING:
    from torchdoctor.data.batches import TensorBatches
    from torchdoctor.experiment import Experiment

Args = dict[str, Any]
Statistic = float | tuple[float, ...]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < float("inf")


def _is_statistic(value: Any) -> bool:
    return all(isinstance(v, (int, float)) for v in (value if isinstance(value, (list, tuple)) else [value]))


class Section(BaseModel):
    """What all sections share: no unknown keys, no change after validation, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Data(Section):
    """What is learnt from."""

    name: DataName = "digits"
    """A data set, or the import path of a function of yours that returns (x, y), (train_x, train_y, val_x, val_y,
    test_x, test_y) or two or three datasets; it is given root and seed if it takes them."""
    root: str | None = None
    """The folder with the files, for data sets that are not embedded."""
    batch_size: PositiveInt = 64
    """Samples in a batch."""
    shuffle: bool = True
    """Training samples in a new order each epoch."""
    scale: Literal["none", "unit", "standard"] | tuple[Statistic, Statistic] = "none"
    """How inputs are scaled, by numbers from the training samples: none; unit, by the largest value; standard, zero
    mean and unit standard deviation per channel or feature; or [mean, std] to use."""
    target_scale: Literal["none", "standard"] = "none"
    """How targets that are decimals are scaled: none, or standard as above."""
    split: tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat] = (0.7, 0.2, 0.1)
    """Shares of training, validation and test, where the data set does not come divided."""
    limit: PositiveInt | None = None
    """At most this many samples of each part."""
    args: Args = {}
    """Further arguments of the data function."""

    @field_validator("scale", mode="before")
    @classmethod
    def _a_way_or_two_statistics(cls, value: Any) -> Any:
        ways = ("none", "unit", "standard")
        if value in ways or (isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_statistic, value))):
            return value
        near = did_you_mean(value, ways) if isinstance(value, str) else ""
        raise ValueError(f"must be {', '.join(ways)} or [mean, std]. {near if near.startswith('Did') else ''}".rstrip())

    @field_validator("split", mode="before")
    @classmethod
    def _three_shares(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(value) == 3 and all(map(_is_share, value)) and value[0] > 0:
            return value
        raise ValueError("must be the shares of training (above 0), validation and test, as [0.7, 0.2, 0.1]")


class Model(Section):
    """What learns."""

    name: ModelName = "lenet5"
    """A model, or the import path of yours; it is given input_shape, outputs, vocabulary, activation and normalization
    if it takes them."""
    activation: ActivationName | None = None
    """The activation of hidden layers; null is the model's own."""
    normalization: Literal["none", "batch"] | None = None
    """What normalises hidden layers; null is the model's own."""
    output: Literal["none", "softmax", "log-softmax", "sigmoid", "relu"] = "none"
    """An activation after the last layer."""
    init: Literal["default", "he", "xavier", "lecun", "orthogonal", "zeros"] = "default"
    """How weights are drawn; default is torch's own way."""
    args: Args = {}
    """Further arguments of the model."""


class Loss(Section):
    """What is minimised."""

    name: LossName = "cross-entropy"
    """A loss, or the import path of yours: a class, made once with args, or a function of (output, target)."""
    args: Args = {}
    """Further arguments of the loss."""


class Optimizer(Section):
    """How weights are changed."""

    name: OptimizerName = "sgd"
    """An optimizer, or the import path of one."""
    lr: NonNegativeFloat = 1e-2
    """The learning rate, per step. When left out: 0.01 for sgd and adagrad, 0.001 for others."""
    momentum: NonNegativeFloat | None = None
    """Momentum, for sgd and rmsprop; null is the optimizer's own."""
    weight_decay: NonNegativeFloat | None = None
    """Weight decay; null is the optimizer's own."""
    args: Args = {}
    """Further arguments of the optimizer."""

    @model_validator(mode="before")
    @classmethod
    def _usual_rate(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("lr") is None:
            return {**values, "lr": DEFAULT_RATES.get(str(values.get("name", "sgd")), 1e-3)}
        return values


class Schedule(Section):
    """How the learning rate changes from epoch to epoch."""

    name: ScheduleName = "none"
    """A schedule, or the import path of one, stepped once an epoch. Cosine ends with the last epoch."""
    args: Args = {}
    """Further arguments of the schedule."""


class Train(Section):
    """How long, how and where training runs."""

    epochs: PositiveInt = 10
    """Passes over the training samples."""
    clip_norm: PositiveFloat | None = None
    """Longest gradient (L2, over all weights) that reaches the optimizer; null clips nothing."""
    accumulate: PositiveInt = 1
    """Batches whose gradients make one optimizer step."""
    device: Device = "auto"
    """auto (a GPU where there is one), cpu, cuda or cuda:1."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format of the forward pass; bf16 and fp16 by autocast, fp16 with scaled gradients."""
    patience: PositiveInt | None = None
    """Stop after this many epochs without a better validation score, and go back to the best; null never stops."""
    threads: PositiveInt | None = None
    """Processor threads of torch while training; null leaves them as they are."""


class Recipe(Section):
    """A whole training run."""

    name: str = "recipe"
    """What the run is called."""
    seed: Annotated[int, Field(ge=0)] = 0
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

    def test(self) -> TensorBatches | Any | None:
        """The loader of the test part, scaled like training; None where the data have none."""
        from torchdoctor.recipe.build import Builder  # needs torch

        return Builder(self).test()
