"""Batches cut straight out of tensors in memory: one indexing call a batch, no Python per sample.

A DataLoader fetches sample by sample, which for a small net takes longer than the net itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from torchdoctor.errors import BadParts


class TensorBatches:
    """Gives (x[rows], y[rows]), each sample once a pass; may be iterated again and again.

    The order of the k-th pass depends on `seed` and k alone, never on the model or on other random numbers, so all
    arms of a race see the same. Shuffling leaves out a last batch of one sample, which batch normalisation could not
    take; another pass holds it.
    """

    def __init__(self, x: Tensor, y: Tensor, batch_size: int = 64, shuffle: bool = False, seed: int = 0) -> None:
        """x: (N, ...) inputs, y: (N, ...) targets, on the same device. Raises BadParts when they do not fit."""
        if len(x) != len(y) or not len(x):
            raise BadParts(f"{len(x)} inputs and {len(y)} targets cannot be batched; give one target per input.")
        if batch_size < 1:
            raise BadParts(f"batch_size is {batch_size}; it must be at least 1.")
        self.x, self.y = x, y
        self.batch_size, self.shuffle = batch_size, shuffle
        self.generator = torch.Generator().manual_seed(seed)
        self._position = (self.generator.get_state(), 0)  # the generator where this pass began; the next batch
        self._skip = 0

    def __len__(self) -> int:
        whole, left = divmod(len(self.x), self.batch_size)
        left_out = self.shuffle and left == 1 and whole > 0
        return whole + (left > 0 and not left_out)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        began, skip, self._skip = self.generator.get_state(), self._skip, 0
        # Drawn on the CPU, so that the order is the same on every device.
        order = torch.randperm(len(self.x), generator=self.generator).to(self.x.device) if self.shuffle else None
        for batch in range(skip, len(self)):
            rows: Any = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
            if order is not None:
                rows = order[rows]
            self._position = (began, batch + 1)
            yield self.x[rows], self.y[rows]
        self._position = (self.generator.get_state(), 0)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, after the last batch it gave; plain values and tensors."""
        began, batch = self._position
        return {"generator": began, "batch": batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass continues where the state was taken, with the batches that were left."""
        self.generator.set_state(state["generator"])
        self._skip = int(state["batch"])
        self._position = (state["generator"], self._skip)
