"""The training data of a race: the same batches in the same order in every arm, counted, and shorter where asked.

Arms of a race draw different random numbers (one has dropout, another has not), and shuffling and augmentation draw
from the same global generators. So the data get random numbers of their own, put in place for each batch and taken
away again.
May not: train, judge, print, change the loader.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from torchdoctor.data.around import Around
from torchdoctor.data.batch import tensors_in
from torchdoctor.parts import Loader

_END = object()


class Stream(Around):
    """Iterates over a loader again and again. drawn: batches given so far, samples: what was in them. passes: how often
    it was begun.

    at_most: samples that a pass is cut to, as nearly as whole batches go: arms that cut their batches to other sizes
    see as much of the data.
    """

    def __init__(self, loader: Loader, seed: int, at_most: int | None = None) -> None:
        self.loader = loader
        self.drawn = self.samples = self.passes = self._longest = 0
        self._seed, self._at_most, self._ended = seed, at_most, False

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        own = _Random(self._seed + 7919 * self.passes)  # a prime, so that passes of neighbouring seeds never meet
        with own.numbers():
            batches = iter(self.loader)
        given = size = 0
        while self._at_most is None or not given or given + size / 2 < self._at_most:
            with own.numbers():
                batch = next(batches, _END)
            if batch is _END:
                self._ended = True
                return
            size = _size(batch)
            given += size
            self.drawn += 1
            self.samples += size
            self._longest = max(self._longest, given)
            yield batch

    @property
    def per_pass(self) -> int:
        """Samples of a whole pass; where none has come to its end, as many as the loader's length promises."""
        if self._ended or not self.drawn:
            return self._longest
        try:
            return max(self._longest, round(len(self) * self.samples / self.drawn))
        except TypeError:
            return self._longest

    def __len__(self) -> int:
        length = super().__len__()
        size = self.samples / self.drawn if self.drawn else getattr(self.loader, "batch_size", None)
        return (
            length if self._at_most is None or not size else min(length, max(1, math.ceil(self._at_most / size - 0.5)))
        )


def _size(batch: Any) -> int:
    """Samples: the length of the first tensor in it; 1 where there is none, so that such batches are counted."""
    return next((len(t) for t in tensors_in(batch) if t.ndim), 1)


class _Random:
    """Random numbers of Python and torch, apart from everybody else's. NumPy's are left alone: to put them aside costs
    0.1 ms a batch, and models, which are what differs between arms, do not draw from them."""

    def __init__(self, seed: int) -> None:
        self._python = random.Random(seed).getstate()
        self._torch = torch.Generator().manual_seed(seed).get_state()

    @contextmanager
    def numbers(self) -> Iterator[None]:
        """Inside, Python and torch draw from these."""
        python, numbers = random.getstate(), torch.get_rng_state()
        random.setstate(self._python)
        torch.set_rng_state(self._torch)
        try:
            yield
        finally:
            self._python, self._torch = random.getstate(), torch.get_rng_state()
            random.setstate(python)
            torch.set_rng_state(numbers)
