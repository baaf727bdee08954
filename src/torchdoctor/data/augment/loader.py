"""A loader whose training samples are augmented anew in every pass.

May not: touch validation or test samples; draw from any global generator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.batches import TensorBatches


@dataclass(frozen=True)
class Range:
    """low, high: least and largest training value, per channel or feature, shaped to be combined with (N, ...)."""

    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, x: Tensor) -> Range:
        """x: (N, ...), scaled however: an affine scaling per channel keeps black and white the extremes."""
        over = [d for d in range(x.ndim) if d != 1]
        return cls(x.amin(over, keepdim=True), x.amax(over, keepdim=True))

    def unit(self, x: Tensor) -> Tensor:
        """x as 0..1."""
        return (x - self.low) / self._width

    def back(self, x: Tensor) -> Tensor:
        """The inverse of `unit`."""
        return x * self._width + self.low

    @property
    def _width(self) -> Tensor:
        width = self.high - self.low
        return torch.where(width > 0, width, torch.ones_like(width))


class Augmented:
    """Augmented(loader, policy, seed) gives the loader's batches, changed by the policy.

    What is drawn hangs on seed, pass, batch and rank alone: all arms of a race see the same, processes that train
    together do not, and a restored loader goes on exactly. classes: K, where targets are class numbers that a mixing
    policy turns into shares (N, K).
    Everything else asked of it (batch_size, generator, x, y ...) is the loader's own.
    """

    def __init__(self, loader: TensorBatches, policy: Policy, seed: int, classes: int | None = None) -> None:
        """Raises BadParts when a step of the policy cannot change such samples."""
        policy.must_fit(loader.x)
        self.loader, self.policy, self.seed = loader, policy, seed
        self.between = Range.of(loader.x)
        self.classes = classes if policy.mixing else None
        self._next, self._skip = 0, 0  # the pass to begin; batches of it that were given before a restart
        self._position = (0, 0)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        number, skip = self._next, self._skip
        self._next, self._skip = number + 1, 0
        for batch, (x, y) in enumerate(self.loader, skip):
            self._position = (number, batch + 1)
            yield self.changed(x, y, np.random.default_rng([self.seed, number, batch, self.loader.rank]))
        self._position = (number + 1, 0)

    def changed(self, x: Tensor, y: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """One batch, (N, ...) and (N, ...), after the policy."""
        shares = y if self.classes is None else F.one_hot(y, self.classes).to(x.dtype)
        new, targets = self.policy(self.between.unit(x), shares, random)
        return self.between.back(new), targets

    def __len__(self) -> int:
        return len(self.loader)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, after the last batch it gave; plain values and tensors."""
        return {"loader": self.loader.state_dict(), "pass": self._position[0], "batch": self._position[1]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass continues where the state was taken, with the batches that were left."""
        self.loader.load_state_dict(state["loader"])
        self._next, self._skip = int(state["pass"]), int(state["batch"])
        self._position = (self._next, self._skip)

    def __getattr__(self, name: str) -> Any:
        if name == "loader":  # not there yet while being unpickled or copied
            raise AttributeError(name)
        return getattr(self.loader, name)
