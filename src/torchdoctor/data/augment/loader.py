"""A loader whose training samples are augmented anew in every pass.

May not: touch validation or test samples; draw from any global generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from torchdoctor.data.around import Around
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


class Augmented(Around):
    """Augmented(loader, policy, seed) gives the loader's batches, changed by the policy.

    What is drawn hangs on seed, pass, batch and rank alone: all arms of a race see the same, processes that train
    together do not, and a restored loader goes on exactly. classes: K, where targets are class numbers that a mixing
    policy turns into shares (N, K). like: (n, ...) of the samples, where the loader does not hold them all.
    """

    loader: TensorBatches | DataLoader[Any]

    def __init__(
        self,
        loader: TensorBatches | DataLoader[Any],
        policy: Policy,
        seed: int,
        classes: int | None = None,
        like: Tensor | None = None,
    ) -> None:
        """Raises BadParts when a step of the policy cannot change such samples."""
        samples = loader.x if isinstance(loader, TensorBatches) else like
        assert samples is not None  # a DataLoader is given with some
        policy.must_fit(samples)
        self.loader, self.policy, self.seed = loader, policy, seed
        self.between = Range.of(samples)
        self.classes = classes if policy.mixing else None
        self._next, self._skip = 0, 0  # the pass to begin; batches of it that were given before a restart
        self._position = (0, 0)
        self._began: Tensor | None = None  # a DataLoader's generator, before it drew the order of this pass

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        number, skip = self._next, self._skip
        self._next, self._skip = number + 1, 0
        rank = getattr(self.loader, "rank", 0)  # of a DataLoader all processes read all, and then share it
        for batch, (x, y) in enumerate(self._batches(skip), skip):
            self._position = (number, batch + 1)
            yield self.changed(x, y, np.random.default_rng([self.seed, number, batch, rank]))
        self._position = (number + 1, 0)

    def _batches(self, skip: int) -> Iterable[Any]:
        """Without those given before a restart, which a DataLoader must read once more."""
        if isinstance(self.loader, TensorBatches):
            return self.loader
        generator = self.loader.generator
        self._began = None if generator is None else generator.get_state()
        return islice(self.loader, skip, None)

    def changed(self, x: Tensor, y: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """One batch, (N, ...) and (N, ...), after the policy."""
        shares = y if self.classes is None else F.one_hot(y, self.classes).to(x.dtype)
        new, targets = self.policy(self.between.unit(x), shares, random)
        return self.between.back(new), targets

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, after the last batch it gave; plain values and tensors."""
        number, batch = self._position
        if isinstance(self.loader, TensorBatches):
            return {"loader": self.loader.state_dict(), "pass": number, "batch": batch}
        generator = self.loader.generator
        now = None if generator is None else generator.get_state()
        began = self._began if batch else now  # in the middle of a pass it goes on from where its order was drawn
        return {"loader": began, "pass": number, "batch": batch, "batch_size": self.loader.batch_size}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass continues where the state was taken, with the batches that were left. Raises ValueError when
        they were of another size."""
        if isinstance(self.loader, TensorBatches):
            self.loader.load_state_dict(state["loader"])
        else:
            if (there := state["batch_size"]) != self.loader.batch_size:
                raise ValueError(f"batch_size is {there} there and {self.loader.batch_size} here")
            if state["loader"] is not None and self.loader.generator is not None:
                self.loader.generator.set_state(state["loader"])
        self._next, self._skip = int(state["pass"]), int(state["batch"])
        self._position = (self._next, self._skip)
