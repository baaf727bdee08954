"""The folder of a cure: a recorded run for each arm and each examination, so that a cure can go on where it stopped.

    runs/2026-11-20-lenet-cure/
        asked.json, recipe.yaml             budget and seeds, and of what
        cure.json, fix.patch                what came out, or has so far; the fix in the user's own files
        001-examined/                       a run: what the probes measured
        002-unchanged-seed-0/               a run: what was recorded, and the facts parent, fix, seed, share
        ...

A run appears when its arm has ended, whole, under its name: what a kill cuts short never gets one. Nothing of the
search is saved. A cure that is resumed makes all decisions anew, and the same ones, since what lies here is read, not
run.
May not: train, judge, print.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from torchdoctor.errors import BadRun
from torchdoctor.judge.report import jsonable
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.run import Run, Writer

ASKED, RECIPE, RESULT, PATCH = "asked.json", "recipe.yaml", "cure.json", "fix.patch"
KEPT = "kept"  # the fact that holds what a resumed cure needs beside the trace
OWN = ("parent", "fix", "remedies", "seed", "share", "score", KEPT)  # facts that are the shelf's and not the trace's
LONGEST = 60  # characters of a run's name that tell its fix


@dataclass(frozen=True)
class Kept:
    """trace: as it was recorded. told: what was kept beside it, plain values."""

    trace: Trace
    told: Mapping[str, Any]


class Shelf:
    """folder: of the cure; None keeps nothing. asked: what the cure in it was asked for, empty where there is none yet.

    Raises BadRun when it cannot be read or written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.asked = _asked(folder)
        self._places: dict[str, Path] = {}
        self._last = 0
        for path in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
            if path.name.startswith(".") and (path / DATABASE).is_file():
                shutil.rmtree(path, ignore_errors=True)  # a run that was cut short while it was written
            elif (number := path.name.partition("-")[0]).isdigit():
                self._last = max(self._last, int(number))
                if (key := _key_in(path)) is not None:
                    self._places[key] = path

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def begin(self, asked: Mapping[str, Any], recipe: str | None = None) -> None:
        """Make the folder, and write down what is asked for and of what recipe."""
        self.asked = dict(asked)
        self.write({ASKED: json.dumps(jsonable(asked), indent=2), RECIPE: recipe or ""})

    def write(self, texts: Mapping[str, str]) -> None:
        """Beside the runs, {name: text}, each whole or not at all; of an empty text there is no file afterwards."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                if not text:
                    (self.folder / name).unlink(missing_ok=True)
                    continue
                (self.folder / f".{name}").write_text(text, "utf-8")
                (self.folder / f".{name}").replace(self.folder / name)
        except OSError as error:
            raise BadRun(f"Cannot write {self.folder}: {error.strerror}. Choose another folder.") from None

    def find(self, key: str) -> Kept | None:
        """What was kept under that key; None where nothing was."""
        if key not in self._places:
            return None
        with closing(Run(self._places[key])) as run:
            return _split(run.trace())

    def keep(
        self, key: str, name: str, trace: Trace, told: Mapping[str, Any], recipe: str | None = None, **facts: Any
    ) -> Kept:
        """Write it as a run; returns it as it will be read. facts: fix, seed and share of an arm."""
        if self.folder is None:
            return Kept(trace, told)
        self._last += 1
        place = f"{self._last:03d}-{''.join(c if c.isalnum() or c in '-_' else '-' for c in name)}"
        writer = Writer(self.folder / f".{place}", recipe)
        _write(trace, writer)
        for fact, value in {**trace.facts, "parent": str(self.folder), **facts, KEPT: {"key": key, **told}}.items():
            writer.fact(fact, value)
        writer.commit()
        kept = _split(writer.trace())
        writer.close()
        self._places[key] = (self.folder / f".{place}").rename(self.folder / place)
        return kept


def name_of(fix: str, seed: int) -> str:
    """ "standardize-inputs-and-use-adam-seed-1": of an arm's folder."""
    return f"{fix.replace(' + ', '-and-')[:LONGEST].rstrip('-')}-seed-{seed}"


def _asked(folder: Path | None) -> dict[str, Any]:
    file = None if folder is None else folder / ASKED
    if file is None or not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BadRun(f"{file} is damaged ({type(error).__name__}): it cannot go on. Begin a new cure.") from None


def _key_in(path: Path) -> str | None:
    """The key of what lies in a folder; None where that is no run of a cure's, or a damaged one."""
    try:
        with closing(Run(path)) as run:
            return str(run.facts[KEPT]["key"])
    except (BadRun, KeyError, TypeError):
        return None


def _split(trace: Trace) -> Kept:
    facts = {name: value for name, value in trace.facts.items() if name not in OWN}
    return Kept(Trace(trace.data, facts), trace.facts[KEPT])


def _write(trace: Trace, writer: Writer) -> None:
    """Neighbours that were recorded at the same steps go into one block, as they did when they were recorded."""
    for signal, group in trace.data.items():
        known = [(subject, series) for subject, series in group.items() if len(series)]
        for _, together in groupby(known, key=lambda pair: _shape(pair[1])):
            subjects, all_of = zip(*together)
            writer.append(signal, subjects, all_of[0].steps, np.stack([s.values for s in all_of], axis=1))


def _shape(series: Series) -> tuple[bytes, tuple[int, ...]]:
    return series.steps.tobytes(), series.values.shape[1:]
