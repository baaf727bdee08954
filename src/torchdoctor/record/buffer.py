"""Values wait on the device; a flush moves them to the host in few copies and appends them to the run in one commit.

May not: decide what is recorded.
"""

from __future__ import annotations

import signal
import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from threading import Lock, current_thread, main_thread
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchdoctor.errors import one_line
from torchdoctor.judge.series import Floats
from torchdoctor.judge.trace import Trace
from torchdoctor.record.blocks import Block
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.off import WatchWarning
from torchdoctor.record.run import Run, Writer
from torchdoctor.record.signal import Columns

Key = tuple[str, tuple[str, ...]]
Rows = list[tuple[int, Any]]  # step, values of all subjects


class Buffer:
    """Collects (signal, step, columns); writes to the run's folder, or to memory where that fails."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._waiting: dict[Key, Rows] = {}
        self._facts: dict[str, Any] = {}
        self._moving = Lock()  # a page may read the trace in another thread while the loop goes on
        self.closed = False  # the folder is finished and never changed again

    def add(self, name: str, step: int, columns: Columns) -> None:
        self._waiting.setdefault((name, tuple(columns.subjects)), []).append((step, columns.values))

    def replace_last(self, name: str, step: int, value: Tensor | float) -> None:
        """Put `value` in place of what is waiting for this step, or add it."""
        rows = self._waiting.setdefault((name, ("",)), [])
        if rows and rows[-1][0] == step:
            rows.pop()
        rows.append((step, [value]))

    def fact(self, name: str, value: Any) -> None:
        """Keep a plain JSON value in the run; written with the next flush."""
        self._facts[name] = value

    def flush(self) -> None:
        """Write what waits. A full disk or a folder that vanished ends writing there, never the training."""
        if not self._waiting and not self._facts:
            return
        with _undisturbed(), self._moving:
            blocks, facts = _to_host(self._waiting), self._facts
            self._waiting, self._facts = {}, {}
            try:
                self._write(blocks, facts)
            except (sqlite3.Error, OSError) as error:
                self._move_to_memory(error, blocks, facts)

    def trace(self) -> Trace:
        """Everything recorded so far, flushed or not."""
        if self.closed and self.writer.path is not None:
            with closing(Run(self.writer.path)) as run:
                return run.trace()
        with self._moving:
            waiting = {key: list(rows) for key, rows in list(self._waiting.items())}
            return self.writer.trace(waiting=_to_host(waiting), facts=dict(self._facts))

    def close(self) -> None:
        self.flush()
        if self.writer.path is None:
            return
        try:
            if not (self.writer.path / DATABASE).is_file():
                raise FileNotFoundError("the folder is gone")
            self.writer.close()
            self.closed = True
        except (sqlite3.Error, OSError) as error:
            self._move_to_memory(error, [], {})

    def _write(self, blocks: Iterable[Block], facts: Mapping[str, Any]) -> None:
        for block in blocks:
            self.writer.append(*block)
        for name, value in facts.items():
            self.writer.fact(name, value)
        self.writer.commit()

    def _move_to_memory(self, error: Exception, blocks: Iterable[Block], facts: Mapping[str, Any]) -> None:
        folder, self.writer = self.writer.path, self.writer.to_memory()
        self._write(blocks, facts)
        warnings.warn(
            f"Recording to {folder} stopped ({error}); training goes on and is watched in memory from here. "
            "What was written before is kept. Free some space or choose another folder with run=...",
            WatchWarning,
            stacklevel=2,
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits for the few milliseconds that a flush takes: of half a flush the other half would be lost.

    Python hands it to the main thread only, and a handler that was not set from Python cannot be put back.
    """
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _to_host(waiting: Mapping[Key, Rows]) -> list[Block]:
    """One copy for all tensors of a device and type together. A signal whose values do not fit is left out, and said.

    The copy is made before converting to double precision, which not every device can.
    """
    try:
        return _blocks(waiting, _copied(waiting.values()))
    except Exception:  # noqa: BLE001 - find out whose fault it is
        return [block for key, rows in waiting.items() for block in _to_host_alone(key, rows)]


def _to_host_alone(key: Key, rows: Rows) -> list[Block]:
    try:
        return _blocks({key: rows}, _copied([rows]))
    except Exception as error:  # noqa: BLE001 - one signal breaks, the others are kept
        warnings.warn(f"{len(rows)} values of {key[0]} are lost: {one_line(error)}", WatchWarning, stacklevel=3)
        return []


class _Copied:
    """Tensors that were copied together, handed out again one after another in the same order."""

    def __init__(self, pieces: list[Tensor]) -> None:
        joined = torch.cat([p.reshape(-1) for p in pieces])
        joined = joined.float() if joined.dtype.itemsize < 4 and joined.is_floating_point() else joined
        self._values: Floats = joined.cpu().numpy().astype(np.float64)
        self._read = 0

    def take(self, n: int) -> Floats:
        self._read += n
        return self._values[self._read - n : self._read]


def _copied(all_rows: Iterable[Rows]) -> dict[tuple[torch.device, torch.dtype], _Copied]:
    pieces: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for rows in all_rows:
        for _, values in rows:
            for piece in [values] if isinstance(values, Tensor) else values:
                if isinstance(piece, Tensor):
                    pieces.setdefault((piece.device, piece.dtype), []).append(piece.detach())
    return {kind: _Copied(some) for kind, some in pieces.items()}


def _are_plain(rows: Rows) -> bool:
    """Lists of Python floats, all of one length."""
    lists = [values for _, values in rows]
    return (
        set(map(type, lists)) == {list}
        and set(map(type, chain.from_iterable(lists))) == {float}
        and len(set(map(len, lists))) == 1
    )


def _blocks(waiting: Mapping[Key, Rows], copied: Mapping[tuple[torch.device, torch.dtype], _Copied]) -> list[Block]:
    """One for each signal, and for each length where vectors change theirs."""

    def numbers(values: Any) -> Floats:
        if isinstance(values, Tensor):
            return copied[values.device, values.dtype].take(values.numel())
        parts = [copied[v.device, v.dtype].take(v.numel()) if isinstance(v, Tensor) else [float(v)] for v in values]
        return np.concatenate(parts) if parts else np.empty(0)

    blocks: list[Block] = []
    for (name, subjects), rows in waiting.items():
        if _are_plain(rows):  # on a CPU, of every step: many rows, and one call for all of them
            numbers_alone = np.array([values for _, values in rows], np.float64)
            blocks.append((name, subjects, np.array([step for step, _ in rows], np.int64), numbers_alone))
            continue
        by_length: dict[int, list[tuple[int, Floats]]] = {}
        for step, values in rows:
            found = numbers(values)
            by_length.setdefault(len(found), []).append((step, found))
        for length, found_rows in by_length.items():
            table = np.stack([found for _, found in found_rows])
            if length != len(subjects):  # a vector for each subject
                table = table.reshape(len(found_rows), len(subjects), -1)
            blocks.append((name, subjects, np.array([step for step, _ in found_rows], np.int64), table))
    return blocks
