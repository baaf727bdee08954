"""Batches cut straight out of tensors in memory: one indexing call a batch, no Python per sample.

A DataLoader fetches sample by sample, which for a small net takes longer than the net itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from torchdoctor.errors import BadParts

if TYPE_CHECKING:
    from torchdoctor.data.preparation import Preparation


class TensorBatches:
    """Gives (x[rows], y[rows]), each sample once a pass; may be iterated again and again.

    The order of the k-th pass depends on `seed` and k alone, never on the model or on other random numbers, so all
    arms of a race see the same. Shuffling leaves out a last batch of fewer samples than two, which batch normalisation
    could not take, or than there are processes; another pass holds it.

    weights: draws with these chances instead, as many samples a pass as there are, some of them more than once.
    rank, world: of many processes, each gets its share of every batch, rows rank, rank + world, ... of it: together
    they are the batch that one process would get. Mean losses then average to the whole batch's mean, but for a last
    batch that does not divide evenly.

    preparation: how raw samples became these tensors, for who saves the model; None where nobody said.
    """

    preparation: Preparation | None = None

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        batch_size: int = 64,
        shuffle: bool = False,
        seed: int = 0,
        *,
        weights: Tensor | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """x: (N, ...) inputs, y: (N, ...) targets, on the same device. batch_size: samples, of all processes together.
        weights: (N,), at least 0, need not sum to 1. Raises BadParts when they do not fit."""
        if len(x) != len(y) or not len(x):
            raise BadParts(f"{len(x)} inputs and {len(y)} targets cannot be batched; give one target per input.")
        if batch_size < 1:
            raise BadParts(f"batch_size is {batch_size}; it must be at least 1.")
        if not 0 <= rank < world or batch_size % world:
            raise BadParts(f"batch_size is {batch_size} for {world} processes (this is {rank}); it must be a multiple.")
        if weights is not None and (weights.shape != (len(x),) or bool((weights < 0).any()) or not weights.sum() > 0):
            raise BadParts(f"weights are {tuple(weights.shape)} for {len(x)} samples; give each a chance of 0 or more.")
        self.x, self.y = x, y
        self.batch_size, self.shuffle = batch_size, shuffle
        self.weights, self.rank, self.world = weights, rank, world
        self.generator = torch.Generator().manual_seed(seed)
        self._position = (self.generator.get_state(), 0)  # the generator where this pass began; the next batch
        self._skip = 0

    def __len__(self) -> int:
        whole, left = divmod(len(self.x), self.batch_size)
        left_out = self._drawn and left < max(2, self.world) and whole > 0
        return whole + (left > 0 and not left_out)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        began, skip, self._skip = self.generator.get_state(), self._skip, 0
        order = self._order()
        for batch in range(skip, len(self)):
            rows: Any = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
            if order is not None:
                rows = order[rows][self.rank :: self.world]
            elif self.world > 1:
                rows = slice(rows.start + self.rank, rows.stop, self.world)
            self._position = (began, batch + 1)
            yield self.x[rows], self.y[rows]
        self._position = (self.generator.get_state(), 0)

    @property
    def _drawn(self) -> bool:
        return self.shuffle or self.weights is not None

    def _order(self) -> Tensor | None:
        """Rows in the order of this pass, drawn on the CPU, so that it is the same on every device."""
        if self.weights is not None:
            drawn = torch.multinomial(self.weights.cpu(), len(self.x), replacement=True, generator=self.generator)
        elif self.shuffle:
            drawn = torch.randperm(len(self.x), generator=self.generator)
        else:
            return None
        return drawn.to(self.x.device)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, after the last batch it gave; plain values and tensors."""
        began, batch = self._position
        return {"generator": began, "batch": batch, "batch_size": self.batch_size, "samples": len(self.x)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass continues where the state was taken, with the batches that were left. Raises ValueError when
        they were of another size, or cut from another number of samples."""
        for name, here in (("batch_size", self.batch_size), ("samples", len(self.x))):
            if (there := state.get(name, here)) != here:
                raise ValueError(f"{name} is {there} there and {here} here")
        self.generator.set_state(state["generator"])
        self._skip = int(state["batch"])
        self._position = (state["generator"], self._skip)
