"""Answers asked for one at a time although their questions lay there together.

Of the forward passes without gradients in eval mode, those of a single sample are counted, and among them those whose
input is another piece of the same memory as the one before (rows of a tensor), or comes from a DataLoader. A model that
writes text letter by letter, or plays a game, asks one at a time too, but must wait for its own answer first.

May not: judge, keep a tensor, touch one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn


class _Seen(NamedTuple):
    """Where an input lay, and how often its memory had been written to."""

    storage: int
    offset: int
    version: int


class Singles:
    """Told of every forward pass and of every batch that a DataLoader gave. samples: of the latest batch trained on."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._dimensions = 0  # of the inputs trained on
        self._before: _Seen | None = None
        self._fetched = False
        self.samples: int | None = None
        self.passes = self.singles = self.waiting = 0  # evaluation passes; those of one sample; of these, that waited

    def fetched(self) -> None:
        self._fetched = True

    def trained_on(self, inputs: Sequence[Any]) -> None:
        """A forward pass with gradients."""
        x = _first(inputs)
        if x is not None and self._model.training:
            self._dimensions, self.samples = x.ndim, len(x)
        self._before, self._fetched = None, False

    def asked(self, inputs: Sequence[Any]) -> None:
        """A forward pass without; it counts in eval mode, once it is known that the model takes batches."""
        x = _first(inputs)
        if x is None or self.samples is None or self._model.training:
            return
        self.passes += 1
        alone = x.ndim == self._dimensions - 1 or (x.ndim == self._dimensions and len(x) == 1)
        one = self.samples > 1 and alone
        now = _Seen(x.untyped_storage().data_ptr(), int(x.storage_offset()), -1 if x.is_inference() else x._version)
        if one:
            self.singles += 1
            self.waiting += self._fetched or _beside(self._before, now)
        self._before, self._fetched = (now if one else None), False


def _first(inputs: Sequence[Any]) -> Tensor | None:
    return next((v for v in inputs if isinstance(v, Tensor) and v.ndim), None)


def _beside(before: _Seen | None, now: _Seen) -> bool:
    """Another piece of the same memory, which nobody has written to in between."""
    return (
        before is not None
        and (before.storage, before.version) == (now.storage, now.version)
        and before.offset != now.offset
    )
