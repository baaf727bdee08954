"""Experiment: anything that can be built again from a seed. A recipe makes one; so does a user's build function.

May not: train, judge, import torch at module level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from torchdoctor.errors import BadParts, TorchDoctorError, one_line
from torchdoctor.parts import Loader, Parts

if TYPE_CHECKING:
    from torch import nn


class Log(Protocol):
    """What a loop is handed: `log(loss=..., val_score=...)` keeps numbers; `log.epochs` says how long to train."""

    epochs: int

    def __call__(self, **numbers: float) -> None: ...


Build = Callable[[int], Parts]
Fit = Callable[[Parts, Log], Any]
Score = Callable[["nn.Module", Loader], float]


@dataclass(frozen=True)
class Experiment:
    """build(seed) -> Parts, the same for the same seed. epochs: the length of one training run.

    fit(parts, log): the loop, default torchdoctor's own; a loop that honours `log.epochs` lets races be short.
    score(model, loader) -> float, higher is better; default: accuracy, area under the curve or R2, by the targets.
    recipe: as plain values, where the experiment came from one, so that fixes can be shown as a recipe patch.
    """

    build: Build
    epochs: int
    fit: Fit | None = None
    score: Score | None = None
    name: str = "experiment"
    recipe: Mapping[str, Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not callable(self.build):
            raise BadParts(f"Experiment(build={self.build!r}): give a function build(seed) -> td.Parts.")
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int) or self.epochs < 1:
            raise BadParts(f"Experiment(epochs={self.epochs!r}): give a whole number of epochs, at least 1.")

    def parts(self, seed: int) -> Parts:
        """build(seed). Raises BadParts when it fails, or gives something else."""
        try:
            made = self.build(seed)
        except TorchDoctorError:
            raise
        except Exception as error:
            raise BadParts(f"build({seed}) failed: {one_line(error)}") from error
        if not isinstance(made, Parts):
            what = "nothing: is its `return` missing?" if made is None else f"a {type(made).__name__}."
            raise BadParts(f"build({seed}) must return td.Parts(model, loss_fn, optimizer, train); it returned {what}")
        return made
