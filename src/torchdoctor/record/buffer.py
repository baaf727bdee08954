"""Values wait on the device; a flush moves them to the host in one copy and appends them to the run in one commit.

May not: decide what is recorded.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchdoctor.judge.series import Floats, Ints, Series
from torchdoctor.judge.trace import Trace
from torchdoctor.record.follow import WatchWarning
from torchdoctor.record.run import Run, Writer
from torchdoctor.record.signal import Columns

Key = tuple[str, tuple[str, ...]]


class Buffer:
    """Collects (signal, step, columns); writes to the run's folder, or to memory where that fails."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._waiting: dict[Key, list[tuple[int, Any]]] = {}
        self._lost: list[Trace] = []
        self.closed = False  # the folder is finished and never changed again

    def add(self, signal: str, step: int, columns: Columns) -> None:
        self._waiting.setdefault((signal, tuple(columns.subjects)), []).append((step, columns.values))

    def replace_last(self, signal: str, step: int, value: Tensor | float) -> None:
        """Put `value` in place of what is waiting for this step, or add it."""
        rows = self._waiting.setdefault((signal, ("",)), [])
        if rows and rows[-1][0] == step:
            rows.pop()
        rows.append((step, [value]))

    def fact(self, name: str, value: Any) -> None:
        """Keep a plain JSON value in the run."""
        try:
            self.writer.fact(name, value)
        except (sqlite3.Error, OSError) as error:
            self._move_to_memory(error)
            self.writer.fact(name, value)

    def flush(self) -> None:
        """Write what waits. A full disk or a folder that vanished ends writing there, never the training."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        blocks = _to_host(waiting)
        try:
            self._write(blocks)
        except (sqlite3.Error, OSError) as error:
            self._move_to_memory(error)
            self._write(blocks)

    def trace(self) -> Trace:
        """Everything recorded so far, flushed or not."""
        self.flush()
        finished = self.closed and self.writer.path is not None
        trace = Run(self.writer.path).trace() if finished and self.writer.path else self.writer.trace()
        for earlier in self._lost:
            trace = _appended(earlier, trace)
        return trace

    def close(self) -> None:
        self.flush()
        self.closed = self.writer.path is not None
        try:
            self.writer.close()
        except (sqlite3.Error, OSError) as error:
            self._move_to_memory(error)

    def _write(self, blocks: list[tuple[Key, Ints, Floats]]) -> None:
        for (signal, subjects), steps, values in blocks:
            self.writer.append(signal, subjects, steps, values)
        self.writer.commit()

    def _move_to_memory(self, error: Exception) -> None:
        folder: Path | None = self.writer.path
        facts: dict[str, Any] = {}
        try:
            self.writer.discard()
            before = self.writer.trace()
            facts = dict(before.facts)
            self._lost.append(before)
        except (sqlite3.Error, OSError):
            pass  # the warning below says that the folder may be incomplete
        self.writer = Writer(None)
        for name, value in facts.items():
            self.writer.fact(name, value)
        warnings.warn(
            f"Recording to {folder} stopped ({error}); training goes on and is watched in memory from here. "
            "What was written before is kept. Free some space or choose another folder with run=...",
            WatchWarning,
            stacklevel=2,
        )


def _to_host(waiting: dict[Key, list[tuple[int, Any]]]) -> list[tuple[Key, Ints, Floats]]:
    """One copy per device for all tensors together, in double precision."""
    flat: dict[torch.device, list[Tensor]] = {}
    for rows in waiting.values():
        for _, values in rows:
            for piece in [values] if isinstance(values, Tensor) else values:
                if isinstance(piece, Tensor):
                    flat.setdefault(piece.device, []).append(piece.reshape(-1))
    host = {device: _joined(pieces).cpu().numpy() for device, pieces in flat.items()}
    read = dict.fromkeys(host, 0)

    def take(piece: Tensor | float) -> Sequence[float] | Floats:
        if not isinstance(piece, Tensor):
            return [float(piece)]
        start = read[piece.device]
        read[piece.device] = start + piece.numel()
        return host[piece.device][start : start + piece.numel()]

    blocks = []
    for (signal, subjects), rows in waiting.items():
        steps = np.array([step for step, _ in rows], np.int64)
        numbers = [
            np.concatenate([take(piece) for piece in ([values] if isinstance(values, Tensor) else values)])
            for _, values in rows
        ]
        values = np.stack(numbers)
        if values.shape[1] != len(subjects):  # a vector for each subject
            values = values.reshape(len(rows), len(subjects), -1)
        blocks.append(((signal, subjects), steps, values))
    return blocks


def _joined(pieces: list[Tensor]) -> Tensor:
    """In double precision; stacking by type first, since converting thousands of scalars one by one is slow."""
    if len({p.dtype for p in pieces}) == 1:
        return torch.cat(pieces).double()
    return torch.cat([p.double() for p in pieces])


def _appended(earlier: Trace, later: Trace) -> Trace:
    data = {name: dict(group) for name, group in earlier.data.items()}
    for name, group in later.data.items():
        mine = data.setdefault(name, {})
        for subject, series in group.items():
            old = mine.get(subject)
            mine[subject] = (
                series
                if old is None
                else Series(np.concatenate([old.steps, series.steps]), np.concatenate([old.values, series.values]))
            )
    return Trace(data, {**earlier.facts, **later.facts})
