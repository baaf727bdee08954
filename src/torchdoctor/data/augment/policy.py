"""A policy: augmentation steps, one after another, on a batch in 0..1.

May not: know which data they are, draw from any global generator.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from torchdoctor.data.augment.geometry import warped
from torchdoctor.data.augment.step import Floats, Geometry, Mix, Pixels, Random, Step
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Policy:
    """steps: (name, step), in the order in which they are applied."""

    steps: tuple[tuple[str, Step], ...]

    def __call__(self, x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        """x: (N, ...) in 0..1, y: their targets, as shares of classes where the policy mixes -> both, changed."""
        moved: Floats | None = None
        for _, step in self.steps:
            if isinstance(step, Geometry):
                drawn = step.matrices(random, len(x), *x.shape[-2:])
                moved = drawn if moved is None else moved @ drawn
                continue
            x, moved = x if moved is None else warped(x, moved), None
            if isinstance(step, Mix):
                x, y = step.mixed(x, y, random)
            else:
                x = step.changed(x, random)
        return x if moved is None else warped(x, moved), y

    @property
    def mixing(self) -> str:
        """The name of the first step that mixes targets; "" where none does."""
        return next((name for name, step in self.steps if isinstance(step, Mix)), "")

    def must_fit(self, x: Tensor) -> None:
        """Raises BadParts when a step cannot change samples like x (N, ...)."""
        shape = tuple(x.shape[1:])
        for name, step in self.steps:
            if not x.is_floating_point():
                raise BadParts(f"Augmentation {name} needs decimals; the inputs are whole numbers (ids).")
            if x.ndim != 4 and (isinstance(step, Geometry) or step.ndim == 4):
                raise BadParts(f"Augmentation {name} needs pictures, (channels, height, width); samples are {shape}.")
            if isinstance(step, Pixels) and step.channels not in (None, x.shape[1]):
                raise BadParts(f"Augmentation {name} needs {step.channels} channels; samples are {shape}.")
