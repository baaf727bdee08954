"""The blocks of signals.db as series: all of them, those of a few signals, or the last value of one.

May not: write, judge, import torch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from torchdoctor.judge.series import Floats, Ints, Series
from torchdoctor.judge.trace import WHOLE, Trace

Block = tuple[str, tuple[str, ...], Ints, Floats]  # signal, subjects, steps (n,), values (n, subjects[, k])
Columns = dict[int, tuple[str, tuple[str, ...], int]]  # row -> signal, subjects, width of a vector or 0


def read(
    db: sqlite3.Connection,
    waiting: Iterable[Block] = (),
    more: Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
) -> Trace:
    """waiting: blocks, more: facts, that are not in the database yet. only: these signals and no others."""
    columns = {row: c for row, c in _columns(db).items() if only is None or c[0] in only}
    blocks: dict[tuple[str, tuple[str, ...], int], list[tuple[Ints, Floats]]] = {}
    for row, steps, values in db.execute(f"SELECT columns, steps, vals FROM block{_of(columns, only)} ORDER BY rowid"):
        _, subjects, width = columns[row]
        s = np.frombuffer(steps, "<i8")
        v = np.frombuffer(values, "<f8").reshape(len(s), len(subjects), *([width] if width else []))
        blocks.setdefault(columns[row], []).append((s, v))
    for signal, subjects, s, v in waiting:
        blocks.setdefault((signal, subjects, v.shape[2] if v.ndim == 3 else 0), []).append((s, v))
    pieces: dict[str, dict[str, list[Series]]] = {}
    for (signal, subjects, _), parts in blocks.items():
        all_steps, all_values = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        for i, subject in enumerate(subjects):
            found = pieces.setdefault(signal, {}).setdefault(subject, [])
            found.append(Series(all_steps, all_values[:, i]))
    data = {signal: {subject: _joined(found) for subject, found in group.items()} for signal, group in pieces.items()}
    return Trace(data, {**facts_of(db), **(more or {})})


def facts_of(db: sqlite3.Connection) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in db.execute("SELECT name, json FROM fact")}


def signals_of(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """{signal: subjects}, both in the order of first recording."""
    found: dict[str, dict[str, None]] = {}
    for signal, subjects, _ in _columns(db).values():
        found.setdefault(signal, {}).update(dict.fromkeys(subjects))
    return {signal: tuple(subjects) for signal, subjects in found.items()}


def last_of(db: sqlite3.Connection, signal: str) -> tuple[int, float] | None:
    """Of a signal of the whole run: (step, value), from its last block alone."""
    columns = {row: c for row, c in _columns(db).items() if c[0] == signal and WHOLE in c[1] and not c[2]}
    if not columns:
        return None
    newest = f"SELECT columns, steps, vals FROM block{_of(columns, columns)} ORDER BY rowid DESC LIMIT 1"
    for row, steps, values in db.execute(newest):
        subjects = columns[row][1]
        at = np.frombuffer(values, "<f8").reshape(-1, len(subjects))[-1, subjects.index(WHOLE)]
        return int(np.frombuffer(steps, "<i8")[-1]), float(at)
    return None


def _columns(db: sqlite3.Connection) -> Columns:
    return {
        row: (signal, tuple(json.loads(subjects)), width)
        for row, signal, subjects, width in db.execute("SELECT id, signal, subjects, width FROM columns ORDER BY id")
    }


def _of(columns: Columns, only: Collection[Any] | None) -> str:
    """The condition that leaves all other blocks unread: their values lie on pages that are skipped."""
    return "" if only is None else f" WHERE columns IN ({','.join(str(int(row)) for row in columns)})"


def _joined(series: list[Series]) -> Series:
    """Blocks of the same signal and subject that were written beside different neighbours, in the order of steps."""
    if len(series) == 1:
        return series[0]
    widths = {s.values.shape[1:] for s in series}
    if len(widths) > 1:  # vectors whose length changed on the way: the last length counts
        series = [s for s in series if s.values.shape[1:] == series[-1].values.shape[1:]]
    steps = np.concatenate([s.steps for s in series])
    values = np.concatenate([s.values for s in series])
    order = np.argsort(steps, kind="stable")
    return Series(steps[order], values[order])
