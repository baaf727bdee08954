"""What a recipe says of its data.

May not: import torch.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import NonNegativeFloat, PositiveInt, field_validator

from torchdoctor.errors import did_you_mean
from torchdoctor.recipe.choice import AugmentationName, DataName
from torchdoctor.recipe.section import Args, Section

Statistic = float | tuple[float, ...]


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
    augment: list[dict[AugmentationName, Args]] = []
    """How training samples are changed anew in each pass, in this order: names (flip, rotate, shift, shear, scale,
    crop, hue, saturation, brightness, noise, erasing, mixup, cutmix), {name: arguments}, or the import path of a
    transform of torchvision.transforms.v2. Look at them first: torchdoctor data --contact-sheet."""

    @field_validator("augment", mode="before")
    @classmethod
    def _names_or_names_with_arguments(cls, value: Any) -> Any:
        items = [{item: {}} if isinstance(item, str) else item for item in (value if isinstance(value, list) else [0])]
        if all(isinstance(item, dict) and len(item) == 1 for item in items):
            return [{name: args or {} for name, args in item.items()} for item in items]
        raise ValueError("must be a list of names and {name: arguments}, as [flip, {rotate: {degrees: 15}}]")

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


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < float("inf")


def _is_statistic(value: Any) -> bool:
    return all(isinstance(v, (int, float)) for v in (value if isinstance(value, (list, tuple)) else [value]))
