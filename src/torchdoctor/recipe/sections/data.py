"""What a recipe says of its data.

May not: import torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from torchdoctor.data.names import STEPS
from torchdoctor.errors import did_you_mean
from torchdoctor.recipe.choice import AugmentationName, DataName, StepName
from torchdoctor.recipe.section import Args, Section

Statistic = float | tuple[float, ...]
# What editors are told: a step may be written as its name alone, and its columns as a list.
_NAMES = {"enum": [name for name in STEPS if name != "matrix"]}
_NAMED = {"type": "object", "propertyNames": _NAMES, "minProperties": 1, "maxProperties": 1}
AS_WRITTEN = WithJsonSchema({"anyOf": [{"type": "array", "items": {"anyOf": [_NAMES, _NAMED]}}, {"type": "null"}]})


class Data(Section):
    """What is learnt from."""

    name: DataName = "digits"
    """A data set, or the import path of a function of yours that returns (x, y), (train_x, train_y, val_x, val_y,
    test_x, test_y), Samples, a dataset, or two or three; it is given root, seed and other options of this section if it
    takes them. Targets may be words."""
    root: str | None = None
    """The folder with the files, for data sets that are not embedded; of a table its file, or the folder
    with train.csv and test.csv; of stored data their URL."""
    download: bool = False
    """Get the official files into root when they are not there, checked against their published checksums."""
    target: str | None = None
    """The column of a table that is to be learnt."""
    text: str | None = None
    """The column of a table that holds free text; it is then the input."""
    size: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    """Pixels that pictures of a folder are brought to: a square, or [height, width]; null takes only equal ones."""
    channels: Literal[1, 3, 4] | None = None
    """What pictures of a folder are brought to: 1 grey, 3 colour, 4 colour and opacity; null takes only equal ones."""
    features: Annotated[list[dict[StepName, Args]] | None, AS_WRITTEN] = None
    """Steps that make inputs of columns, in order: fill, log, buckets, one-hot, words, tokens, scale, whiten; each a
    name, {name: [columns]} or {name: {option: value}}. null does what is needed: fill and one-hot for tables, tokens
    for text."""
    batch_size: PositiveInt = 64
    """Samples in a batch; of all processes together, where there are many."""
    workers: NonNegativeInt = 0
    """Processes that read samples, of data sets that give them one by one; 0 reads them in the training process."""
    shuffle: bool = True
    """Training samples in a new order each epoch."""
    balance: Literal["none", "weights", "sampler"] = "none"
    """Against classes of unequal size: weights in the loss; or a sampler that draws every class equally often."""
    scale: Literal["none", "unit", "standard"] | tuple[Statistic, Statistic] = "none"
    """How inputs are scaled, by numbers from the training samples: none; unit, by the largest value; standard, zero
    mean and unit standard deviation per channel or feature; or [mean, std] to use."""
    target_scale: Literal["none", "standard"] = "none"
    """How targets that are decimals are scaled: none, or standard as above."""
    split: tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat] = (0.7, 0.2, 0.1)
    """Shares of training, validation and test, where the data set does not come divided."""
    group: str | None = None
    """The column of a table that says what belongs together, such as the patient: no group is in two parts."""
    time: str | None = None
    """The column of a table that says when: training comes before validation, and validation before test."""
    split_by: Literal["stratified", "random", "group", "time"] | None = Field(default=None, validate_default=True)
    """How the split is cut: each class in proportion, at random, by group or by time; null goes by group or time where
    one is named, else it is stratified."""
    suspects: str | None = None
    """A run that `torchdoctor data --run` kept of these data: training samples whose labels it doubts are left out."""
    relabel: bool = False
    """Suspects get the class they look like, instead of being left out."""
    limit: PositiveInt | None = None
    """At most this many samples of each part."""
    args: Args = {}
    """Further arguments of the data function."""
    augment: list[dict[AugmentationName, Args]] = []
    """How training samples are changed anew in each pass, in this order: names (flip, rotate, shift, shear, scale,
    crop, hue, saturation, brightness, noise, erasing, mixup, cutmix), {name: arguments}, or the import path of a
    transform of torchvision.transforms.v2. Look at them first: torchdoctor data --contact-sheet."""

    @field_validator("augment", mode="before")
    @classmethod
    def _names_or_names_with_arguments(cls, value: Any) -> Any:
        if (items := _one_each(value)) is not None:
            return [{name: args or {} for name, args in item.items()} for item in items]
        raise ValueError("must be a list of names and {name: arguments}, as [flip, {rotate: {degrees: 15}}]")

    @field_validator("scale", mode="before")
    @classmethod
    def _a_way_or_two_statistics(cls, value: Any) -> Any:
        ways = ("none", "unit", "standard")
        if value in ways or (isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_statistic, value))):
            if value not in ways and not all(value[1] if isinstance(value[1], (list, tuple)) else [value[1]]):
                raise ValueError("would divide by a std of 0")
            return value
        near = did_you_mean(value, ways) if isinstance(value, str) else ""
        raise ValueError(f"must be {', '.join(ways)} or [mean, std]. {near if near.startswith('Did') else ''}".rstrip())

    @field_validator("split", mode="before")
    @classmethod
    def _three_shares(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(value) == 3 and all(map(_is_share, value)) and value[0] > 0:
            return value
        raise ValueError("must be the shares of training (above 0), validation and test, as [0.7, 0.2, 0.1]")

    @field_validator("features", mode="before")
    @classmethod
    def _names_or_names_with_columns_or_options(cls, value: Any) -> Any:
        if value is None:
            return value
        if (items := _one_each(value)) is not None:
            return [{name: {"columns": v} if isinstance(v, list) else v or {} for name, v in i.items()} for i in items]
        raise ValueError("must be a list of names, {name: [columns]} and {name: {option: value}}, as [{log: [income]}]")

    @field_validator("relabel")
    @classmethod
    def _only_suspects(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("suspects") is None:
            raise ValueError("needs to know which: data.suspects")
        return value

    @field_validator("split_by")
    @classmethod
    def _by_what_is_named(cls, value: str | None, info: ValidationInfo) -> str | None:
        for way in ("group", "time"):
            named = info.data.get(way) is not None
            if value == way and not named:
                raise ValueError(f"needs the column: data.{way}")
            if named and value not in (None, way):
                raise ValueError(f"leaves data.{way} without effect; leave one of the two out")
        if info.data.get("group") is not None and info.data.get("time") is not None and value is None:
            raise ValueError("must be group or time, since both columns are named")
        return value


def _one_each(value: Any) -> list[dict[Any, Any]] | None:
    """A list of names and of mappings with one key, as mappings; None for anything else."""
    if not isinstance(value, list):
        return None
    items: list[Any] = [{item: {}} if isinstance(item, str) else item for item in value]
    return items if all(isinstance(item, dict) and len(item) == 1 for item in items) else None


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < float("inf")


def _is_statistic(value: Any) -> bool:
    return all(isinstance(v, (int, float)) for v in (value if isinstance(value, (list, tuple)) else [value]))
