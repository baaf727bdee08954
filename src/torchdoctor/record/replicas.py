"""Are the copies of the weights that several processes train still the same?

Each watched process puts norms of its weights, at a few steps, into the store through which the processes found each
other, and reads what the others have put there by then. Nobody waits for anybody: a collective call would hang the run
where one process watches and another does not, or where one has stopped, and a store only says "not there yet".

May not: judge, call a collective operation, touch a weight, draw random numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import distributed, nn

from torchdoctor.errors import one_line
from torchdoctor.judge.series import Floats
from torchdoctor.record.moment import norms
from torchdoctor.record.signal import Columns

SIGNAL = "replica_spread"
EVERY = 100  # steps; and at 0, 1, 2, 4, 8 ... All processes look at the same ones, whatever their time allows


class Replicas:
    """Told of each step; hands over columns. off: why several processes were not compared, or ""."""

    def __init__(self, model: nn.Module, keep: Callable[[str, int, Columns], None]) -> None:
        self._model, self._keep = model, keep
        self._own: dict[int, Floats] = {}  # step -> norms, not yet compared with all others
        self._read: dict[int, dict[int, Floats]] = {}  # step -> rank -> norms
        self._latest = -1
        self._place = ""
        self._names: tuple[str, ...] = ()
        self._compared = False
        self.off = ""

    def look(self, step: int, last: bool = False) -> None:
        """Weights are at rest before step number `step`. last: the watch ends."""
        if not (last or step & (step - 1) == 0 or step % EVERY == 0) or not _together():
            return
        try:
            store = distributed.distributed_c10d._get_default_store()
            if step > self._latest:
                self._put(store, step)
            self._compare(store, last)
        except Exception as error:  # noqa: BLE001 - a store that is gone, or cannot be asked, must not end the training
            self._own.clear()
            self.off = f"the store of the processes cannot be asked: {one_line(error)}"

    def _put(self, store: Any, step: int) -> None:
        parameters = {n: p for n, p in self._model.named_parameters() if p.is_floating_point()}
        if not parameters or any(_is_sharded(p) for p in parameters.values()):
            self.off = "each process holds a part of the weights only"
            return
        names = tuple(parameters)
        if not self._place or names != self._names:
            form = hashlib.sha256(repr([(n, tuple(p.shape)) for n, p in parameters.items()]).encode()).hexdigest()[:16]
            # The store counts, since it lives as long as the group: how many watches of such a network this process has
            # opened in it.
            opened = store.add(f"torchdoctor/{form}/{distributed.get_rank()}", 1)
            self._place, self._names = f"torchdoctor/{form}/{opened}", names
            self._own.clear()
        self._latest = step
        each = norms([p.detach() for p in parameters.values()])
        self._own[step] = torch.stack([n.double() for n in each]).cpu().numpy()
        store.set(self._key(distributed.get_rank(), step), self._own[step].tobytes())
        self.off = "" if self._compared else "no other process watched a network of this form as far as this one"

    def _compare(self, store: Any, last: bool) -> None:
        others = [rank for rank in range(distributed.get_world_size()) if rank != distributed.get_rank()]
        for step in sorted(self._own):
            read = self._read.setdefault(step, {})
            for rank in others:
                key = self._key(rank, step)
                if rank not in read and store.check([key]):
                    read[rank] = np.frombuffer(store.get(key), np.float64)
            if len(read) == len(others) or (last and read):
                self._keep(SIGNAL, step, Columns(self._names, _spread(self._own.pop(step), list(read.values()))))
                self._compared, self.off = True, ""

    def _key(self, rank: int, step: int) -> str:
        return f"{self._place}/{rank}/{step}"


def _spread(own: Floats, others: list[Floats]) -> list[float]:
    """Largest difference of a norm to that of another process, over the larger of the two."""
    table = np.stack(others)
    largest = np.maximum(np.maximum(np.abs(table), np.abs(own)), 1e-30)
    return [float(v) for v in (np.abs(table - own) / largest).max(0)]


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _is_sharded(parameter: nn.Parameter) -> bool:
    """Of FSDP2 (a DTensor), or a flat one of FSDP's first edition. The norm of a DTensor would be a collective."""
    return hasattr(parameter, "placements") or getattr(parameter, "_is_flat_param", False)
