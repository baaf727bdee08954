"""A Run is a folder: what was asked (recipe.yaml, environment.json), what happened (signals.db), what was found.

signals.db is SQLite: in the standard library, survives a crash, can be read while it is written. It holds blocks, not
points: one row per signal and flush, with the steps and the values of all its subjects as packed little-endian arrays.
A long table (signal, subject, step, value) takes 1.2 s to write and 0.9 s to read per million points; blocks take a few
milliseconds, need a third of the bytes, and keep NaN, which SQLite would turn into NULL.

May not: judge, import torch.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from torchdoctor.errors import BadRun
from torchdoctor.judge.series import Floats, Ints, Series
from torchdoctor.judge.trace import Trace

FORMAT = 1  # PRAGMA user_version of signals.db; raise it when an older reader could not understand what is written
DATABASE = "signals.db"
_SCHEMA = f"""
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;  -- no fsync: a crash of the process loses nothing that was flushed, a power cut might
PRAGMA user_version={FORMAT};
CREATE TABLE fact (name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE columns (id INTEGER PRIMARY KEY, signal TEXT NOT NULL, subjects TEXT NOT NULL, width INTEGER NOT NULL);
CREATE TABLE block (columns INTEGER NOT NULL, steps BLOB NOT NULL, vals BLOB NOT NULL);
"""


class Writer:
    """Appends to a run folder, or to memory when `path` is None. Raises BadRun when the folder cannot be made."""

    def __init__(self, path: Path | None = None, recipe: str | None = None) -> None:
        self.path = path
        self._columns: dict[tuple[str, tuple[str, ...], int], int] = {}
        if path is not None:
            _make_folder(path, recipe)
        try:
            self._db = sqlite3.connect(path / DATABASE if path else ":memory:", check_same_thread=False)
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise BadRun(f"Cannot write {path}: {error}. Choose another folder with run=...") from None

    def append(self, signal: str, subjects: tuple[str, ...], steps: Ints, values: Floats) -> None:
        """values: (n, subjects), or (n, subjects, k) for vectors. Kept by the next commit()."""
        width = values.shape[2] if values.ndim == 3 else 0
        key = (signal, subjects, width)
        if key not in self._columns:
            row = self._db.execute(
                "INSERT INTO columns (signal, subjects, width) VALUES (?,?,?)", (signal, json.dumps(subjects), width)
            )
            self._columns[key] = int(row.lastrowid or 0)
        block = (self._columns[key], steps.astype("<i8").tobytes(), values.astype("<f8").tobytes())
        self._db.execute("INSERT INTO block VALUES (?,?,?)", block)

    def fact(self, name: str, value: Any) -> None:
        """Keep a plain JSON value under a name; the last one counts."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, json.dumps(value)))

    def commit(self) -> None:
        """Everything appended so far is in the file, or, after an error, nothing of it."""
        self._db.commit()

    def discard(self) -> None:
        """Forget what was appended since the last commit, after an error."""
        self._db.rollback()
        self._columns = {
            (signal, tuple(json.loads(subjects)), width): row
            for row, signal, subjects, width in self._db.execute("SELECT id, signal, subjects, width FROM columns")
        }

    def trace(self, since: int = 0) -> Trace:
        """Everything recorded so far from step `since` on."""
        return _read(self._db, since)

    def close(self) -> None:
        """Fold the write-ahead log back into the one file, so that the folder can be copied or made read-only."""
        self._db.commit()
        if self.path is not None:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.close()


class Run:
    """A recorded run, for reading. Raises BadRun when the folder holds none, or one that cannot be read."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / DATABASE).is_file():
            raise BadRun(f"{self.path} holds no run: it has no {DATABASE}. Give the folder that watch or train wrote.")
        try:
            self._db = self._connect()
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT:
                raise BadRun(
                    f"{self.path} was written by a newer torchdoctor (format {version}; this one reads up to "
                    f"{FORMAT}). Upgrade: pip install -U torchdoctor"
                )
            for table in ("fact", "columns", "block"):
                self._db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def trace(self, since: int = 0) -> Trace:
        """Everything recorded from step `since` on."""
        try:
            return _read(self._db, since)
        except (sqlite3.Error, ValueError, KeyError) as error:
            raise self._damaged(error) from None

    @property
    def recipe(self) -> str | None:
        """The recipe as YAML text, None where the run came from a user's own loop."""
        file = self.path / "recipe.yaml"
        return file.read_text("utf-8") if file.is_file() else None

    @property
    def environment(self) -> Mapping[str, Any]:
        """Versions and machine, as the run's writer saw them."""
        file = self.path / "environment.json"
        return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}

    def close(self) -> None:
        self._db.close()

    def _connect(self) -> sqlite3.Connection:
        """Read only; a folder that may not be written to cannot hold SQLite's lock files, so it is read as it lies."""
        address = (self.path / DATABASE).resolve().as_uri()
        try:
            db = sqlite3.connect(address + "?mode=ro", uri=True, check_same_thread=False)
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
            return db
        except sqlite3.OperationalError:
            return sqlite3.connect(address + "?immutable=1", uri=True, check_same_thread=False)

    def _damaged(self, error: Exception) -> BadRun:
        return BadRun(
            f"{self.path / DATABASE} is damaged or cut off ({error}). Copy the run again from where it was made; "
            f"what is left may be saved with: sqlite3 {DATABASE} .recover"
        )


def environment() -> dict[str, Any]:
    """Versions and machine. Without importing torch: reading its version number is enough."""
    versions = {}
    for name in ("torchdoctor", "torch", "torchvision", "numpy"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "versions": versions,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv else [],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _make_folder(path: Path, recipe: str | None) -> None:
    if (path / DATABASE).exists():
        raise BadRun(f"{path} already holds a run, and a run is never changed afterwards. Choose another folder.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "environment.json").write_text(json.dumps(environment(), indent=2), "utf-8")
        if recipe is not None:
            (path / "recipe.yaml").write_text(recipe, "utf-8")
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror}. Choose another folder, or free some space.") from None


def _read(db: sqlite3.Connection, since: int) -> Trace:
    blocks: dict[int, list[tuple[Ints, Floats]]] = {}
    columns = {
        row: (signal, json.loads(subjects), width)
        for row, signal, subjects, width in db.execute("SELECT id, signal, subjects, width FROM columns ORDER BY id")
    }
    for row, steps, values in db.execute("SELECT columns, steps, vals FROM block ORDER BY rowid"):
        _, subjects, width = columns[row]
        s = np.frombuffer(steps, "<i8")
        v = np.frombuffer(values, "<f8").reshape(len(s), len(subjects), *([width] if width else []))
        blocks.setdefault(row, []).append((s, v))
    pieces: dict[tuple[str, str], list[Series]] = {}
    for row, parts in blocks.items():
        signal, subjects, _ = columns[row]
        all_steps, all_values = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        keep = slice(None) if since <= 0 else all_steps >= since
        for i, subject in enumerate(subjects):
            pieces.setdefault((signal, subject), []).append(Series(all_steps[keep], all_values[keep, i]))
    data: dict[str, dict[str, Series]] = {}
    for (signal, subject), series in pieces.items():
        data.setdefault(signal, {})[subject] = series[0] if len(series) == 1 else _joined(series)
    facts = {name: json.loads(text) for name, text in db.execute("SELECT name, json FROM fact")}
    return Trace(data, facts)


def _joined(series: list[Series]) -> Series:
    """Blocks of the same signal and subject that were written beside different neighbours, in the order of steps."""
    steps = np.concatenate([s.steps for s in series])
    values = np.concatenate([s.values for s in series])
    order = np.argsort(steps, kind="stable")
    return Series(steps[order], values[order])
