"""A Run is a folder: what was asked (recipe.yaml, environment.json), what happened (signals.db), what was found.

signals.db is SQLite: in the standard library, survives a crash, can be read while it is written. It holds blocks, not
points: one row per signal and flush, with the steps and the values of all its subjects as packed little-endian arrays.
A long table (signal, subject, step, value) takes 1.2 s to write and 0.9 s to read per million points; blocks take a few
milliseconds, need a third of the bytes, and keep NaN, which SQLite would turn into NULL.

May not: judge, import torch.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torchdoctor.errors import BadRun
from torchdoctor.judge.series import Floats, Ints
from torchdoctor.judge.trace import Trace
from torchdoctor.record.blocks import Block, facts_of, last_of, read, signals_of
from torchdoctor.record.folder import DATABASE, check_length, holds_run, make_folder, unmake, what_to_do

FORMAT = 1  # PRAGMA user_version of signals.db; raise it when an older reader could not understand what is written
_SCHEMA = f"""
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;  -- no fsync: a crash of the process loses nothing that was flushed, a power cut might
PRAGMA user_version={FORMAT};
CREATE TABLE fact (name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE columns (id INTEGER PRIMARY KEY, signal TEXT NOT NULL, subjects TEXT NOT NULL, width INTEGER NOT NULL);
CREATE TABLE block (columns INTEGER NOT NULL, steps BLOB NOT NULL, vals BLOB NOT NULL);
CREATE INDEX of_columns ON block (columns);  -- one entry a block: a page that draws one signal reads no other
"""


class Writer:
    """Appends to a run folder, or to memory when `path` is None. Raises BadRun when the folder cannot be made."""

    def __init__(self, path: Path | None = None, recipe: str | None = None) -> None:
        self.path = path
        self._columns: dict[tuple[str, tuple[str, ...], int], int] = {}
        if path is not None and holds_run(path):
            raise BadRun(f"{path} already holds a run, and a run is never changed afterwards. Choose another folder.")
        made: list[Path] = []
        try:
            if path is not None:
                make_folder(path, recipe, made)
            self._db = sqlite3.connect(path / DATABASE if path else ":memory:", check_same_thread=False)
            weakref.finalize(self, self._db.close)
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError, ValueError) as error:
            unmake(made)
            why = getattr(error, "strerror", None) or error
            raise BadRun(f"Cannot write {path}: {why}. {what_to_do(error)}") from None

    def append(self, signal: str, subjects: tuple[str, ...], steps: Ints, values: Floats) -> None:
        """values: (n, subjects), or (n, subjects, k) for vectors. Kept by the next commit()."""
        width = values.shape[2] if values.ndim == 3 else 0
        key = (signal, subjects, width)
        if key not in self._columns:
            name = signal.encode("utf-8", "replace").decode()  # SQLite refuses half a surrogate pair
            row = self._db.execute(
                "INSERT INTO columns (signal, subjects, width) VALUES (?,?,?)", (name, json.dumps(subjects), width)
            )
            self._columns[key] = int(row.lastrowid or 0)
        block = (self._columns[key], steps.astype("<i8").tobytes(), values.astype("<f8").tobytes())
        self._db.execute("INSERT INTO block VALUES (?,?,?)", block)

    def fact(self, name: str, value: Any) -> None:
        """Keep a plain JSON value under a name; the last one counts. Kept by the next commit()."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, json.dumps(value)))

    def commit(self) -> None:
        """Everything appended so far is in the file, or, after an error, nothing of it."""
        self._db.commit()

    def to_memory(self) -> Writer:
        """What was committed, in a writer that needs no disk; after an error of this one, which is closed."""
        twin = Writer(None)
        with contextlib.suppress(sqlite3.Error):  # what cannot be read any more is lost
            self._db.rollback()
            self._db.backup(twin._db)
        rows = twin._db.execute("SELECT id, signal, subjects, width FROM columns")
        twin._columns = {(signal, tuple(json.loads(subjects)), width): row for row, signal, subjects, width in rows}
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        return twin

    def trace(self, waiting: Iterable[Block] = (), facts: Mapping[str, Any] | None = None) -> Trace:
        """Everything recorded so far, and what is `waiting` to be appended."""
        return read(self._db, waiting, facts or {})

    def close(self) -> None:
        """Fold the write-ahead log back into the one file, so that the folder can be copied or made read-only."""
        self._db.commit()
        if self.path is not None:
            with contextlib.suppress(sqlite3.OperationalError):  # somebody reads it, or the disk is full: it stays
                self._db.execute("PRAGMA busy_timeout=0")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.close()


class Run:
    """A recorded run, for reading. Raises BadRun when the folder holds none, or one that cannot be read."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.name == DATABASE and self.path.is_file():
            raise BadRun(f"{self.path} is the file inside a run; give its folder: {self.path.parent}")
        if not holds_run(self.path):
            raise BadRun(f"{self.path} holds no run: it has no {DATABASE}. Give the folder that watch or train wrote.")
        try:
            check_length(self.path / DATABASE)
            self._db = self._connect()
            weakref.finalize(self, self._db.close)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT:
                raise BadRun(
                    f"{self.path} was written by a newer torchdoctor (format {version}; this one reads up to "
                    f"{FORMAT}). Upgrade: pip install -U torchdoctor"
                )
            for table in ("fact", "columns", "block"):
                self._db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._damaged(DATABASE, error) from None

    def trace(self, only: Collection[str] | None = None) -> Trace:
        """Everything recorded, or `only` these signals: of a long run the others are not even read."""
        with self._readable():
            return read(self._db, only=only)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is not a number over steps; see Trace.facts."""
        with self._readable():
            return facts_of(self._db)

    @property
    def signals(self) -> Mapping[str, tuple[str, ...]]:
        """{signal: its subjects} that were recorded, of vectors (a number for each unit of a layer) too."""
        with self._readable():
            return signals_of(self._db)

    def last(self, signal: str) -> tuple[int, float] | None:
        """(step, value) of the last point of a signal of the whole run; None where there is none. Reads one block."""
        with self._readable():
            return last_of(self._db, signal)

    @property
    def recipe(self) -> str | None:
        """The recipe as YAML text, None where the run came from a user's own loop."""
        file = self.path / "recipe.yaml"
        return self._text(file) if file.is_file() else None

    @property
    def environment(self) -> Mapping[str, Any]:
        """Versions and machine, as the run's writer saw them."""
        file = self.path / "environment.json"
        try:
            return dict(json.loads(self._text(file))) if file.is_file() else {}
        except ValueError as error:
            raise self._damaged(file.name, error) from None

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from torchdoctor.show.notebook import run_html  # upward and late: a convenience, see docs/why.md

        return run_html(self)

    def to_frame(self) -> Any:
        """A pandas.DataFrame, a row a step and a column a signal of the whole run. Needs the extra `tables`."""
        from torchdoctor.show.frames import run_frame  # upward and late: a convenience, see docs/why.md

        return run_frame(self)

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, LookupError, TypeError, RecursionError) as error:
            raise self._damaged(DATABASE, error) from None

    def _text(self, file: Path) -> str:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged(file.name, error) from None

    def _connect(self) -> sqlite3.Connection:
        """Read only. In a folder that may not be written to SQLite cannot make its lock files: there a finished run is
        read as it lies, and one that a crash left with its write-ahead log is read from a copy."""
        file, log = self.path / DATABASE, self.path / f"{DATABASE}-wal"
        try:
            return _opened(file, "mode=ro")
        except sqlite3.OperationalError:
            if not (log.is_file() and log.stat().st_size):
                return _opened(file, "mode=ro&immutable=1")  # without mode=ro SQLite would make a file that has gone
            copy = tempfile.TemporaryDirectory(prefix="torchdoctor-")
            weakref.finalize(self, copy.cleanup)
            for part in (file, log):
                shutil.copyfile(part, Path(copy.name) / part.name)
            return _opened(Path(copy.name) / DATABASE, "mode=rw")

    def _damaged(self, name: str, error: Exception) -> BadRun:
        rescue = f"; what is left may be saved with: sqlite3 {name} .recover" if name == DATABASE else ""
        why = (str(error).splitlines() or [type(error).__name__])[0]
        return BadRun(
            f"{self.path / name} is damaged or cut off ({why}). Copy the run again from where it was made{rescue}."
        )


def _opened(file: Path, how: str) -> sqlite3.Connection:
    """One that has been read from: connecting alone touches nothing."""
    db = sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True, check_same_thread=False)
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
    except Exception:
        db.close()
        raise
    return db
