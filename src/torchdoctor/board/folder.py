"""Which run folders lie under the one that the board shows, and what a request may open of them.

A name from outside becomes a path here and nowhere else. Symbolic links are never followed: a run that a stranger sent
must not show the files of this machine.
May not: open a run, write.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torchdoctor.errors import BadRun
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.tags import TAGS
from torchdoctor.show.pictures import PICTURES

CURE, ASKED = "cure.json", "asked.json"  # of a cure that has ended, and of any that has begun
EVALUATION, EXPLANATION = "evaluation.json", "explanation.json"
LOG = f"{DATABASE}-wal"  # there while a run is being written, or where its writer was killed
OWN = (DATABASE, LOG, CURE, ASKED, EVALUATION, EXPLANATION, PICTURES, TAGS, "findings.json", "recipe.yaml",
       "environment.json")  # fmt: skip
DEPTH = 4  # runs/DATE-demo/sick is 2
LIVE = 120.0  # seconds since the last flush after which a run that was not closed counts as stopped
LONGEST = 1000  # characters of a name

Stamp = tuple[tuple[str, int, int], ...]  # (file, mtime in ns, bytes): another stamp, other contents


class NoSuchRun(BadRun):
    """The name leads to no run folder, or to one that may not be opened."""


@dataclass(frozen=True)
class Place:
    """key: the folder's path below the root, with slashes; what the board calls the run."""

    key: str
    path: Path
    stamp: Stamp

    @property
    def files(self) -> dict[str, int]:
        """{name: bytes} of the files that the board reads."""
        return {name: size for name, _, size in self.stamp}

    @property
    def content(self) -> Stamp:
        """The stamp without what people pin to a run: another tag makes no curve anew."""
        return tuple(file for file in self.stamp if file[0] != TAGS)

    @property
    def state(self) -> str:
        """live, stopped (not closed, and nothing was written for two minutes), finished, or cure (holds no run)."""
        if DATABASE not in self.files:
            return "cure"
        if not self.files.get(LOG):
            return "finished"
        newest = max(mtime for name, mtime, _ in self.stamp if name in (DATABASE, LOG))
        return "live" if time.time() - newest / 1e9 < LIVE else "stopped"


def places(root: Path) -> dict[str, Place]:
    """{key: place} of all runs and cures below `root`, and of `root` itself where it is one (".")."""
    return {place.key: place for place in _below(root, "", DEPTH)}


def place(root: Path, key: str) -> Place:
    """The run of that name. Raises NoSuchRun for anything that is not one, or that leaves the folder."""
    parts = key.split("/")
    if len(key) > LONGEST or (key != "." and any(p in ("", ".", "..") or "\\" in p or "\0" in p for p in parts)):
        raise NoSuchRun(f"{key[:80]!r} is no name of a run.")
    path = root
    try:
        for part in parts if key != "." else ():
            path = path / part
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NoSuchRun(f"{key} is no folder of its own: links are not followed.")
        stamp = _stamp(path)
    except (OSError, ValueError):
        raise NoSuchRun(f"There is no run {key}; it may have been moved or deleted.") from None
    if not _holds_something(stamp):
        raise NoSuchRun(f"{key} holds no run: it has no {DATABASE} of its own.")
    return Place(key, path, stamp)


def _below(path: Path, key: str, depth: int) -> Iterator[Place]:
    folders: list[str] = []
    try:
        with os.scandir(path) as entries:
            stamp = _of(entries, folders)
    except OSError:  # gone, or not ours to read
        return
    except NoSuchRun:
        stamp = ()
    if _holds_something(stamp):
        yield Place(key or ".", path, stamp)
    if depth and not any(name == DATABASE for name, *_ in stamp):  # in a run folder lie checkpoints, no runs
        for name in sorted(folders):
            yield from _below(path / name, f"{key}/{name}" if key else name, depth - 1)


def _stamp(path: Path) -> Stamp:
    with os.scandir(path) as entries:
        return _of(entries, [])


def _of(entries: Iterator[os.DirEntry[str]], folders: list[str]) -> Stamp:
    """folders: gets the names of those that are beside the files."""
    found = []
    for entry in entries:
        if entry.name in OWN:
            if not entry.is_file(follow_symlinks=False):
                raise NoSuchRun(f"{entry.name} is a link, and links are not followed.")
            at = entry.stat(follow_symlinks=False)
            found.append((entry.name, at.st_mtime_ns, at.st_size))
        elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
    return tuple(sorted(found))


def _holds_something(stamp: Stamp) -> bool:
    return any(name in (DATABASE, CURE, ASKED) for name, *_ in stamp)
