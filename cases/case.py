"""Case: a faulty program, its mended twin, and what must be found. Healthy: a recipe on which nothing may be found.

A file in faulty/ or healthy/ that holds a CASE is one; it is called what its file is called. There is no list to keep.
unseen/ holds the same two folders again: programs that nothing may be fitted on (its README.md has the rule).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

from torchdoctor.experiment import Experiment

HERE = Path(__file__).parent
Truth = str | frozenset[str]
Program = Callable[[], Experiment]  # raises cases.data.Absent where its data are not on this machine


@dataclass(frozen=True)
class Case:
    """source: where the facts were published. task: the kind of data and what is learnt from them.

    faults: what is wrong, by the names of faults.md, the main one first; a frozenset holds names that are all right
    answers for one and the same fault. where: modules and parameters at fault; None where it has no place.
    note: what a reader of the table should know.
    """

    source: str
    task: str
    faults: tuple[Truth, ...]
    faulty: Program
    fixed: Program
    seeds: tuple[int, ...] = (0, 1, 2)
    where: tuple[str, ...] | None = None
    note: str = ""
    name: str = ""  # stamped on by its file

    def truths(self) -> tuple[frozenset[str], ...]:
        """Every fault as the set of its right names."""
        return tuple(frozenset({f}) if isinstance(f, str) else f for f in self.faults)


@dataclass(frozen=True)
class Healthy:
    """trap: what about it looks like a fault."""

    task: str
    trap: str
    experiment: Program
    seeds: tuple[int, ...] = (0, 1, 2)
    name: str = ""  # stamped on by its file


def either(*names: str) -> frozenset[str]:
    """Names that are all right answers for one fault, the likeliest first in the reader's eye."""
    return frozenset(names)


def faulty_cases(unseen: bool = False) -> tuple[Case, ...]:
    """All of them, by name. unseen: those that nothing was fitted on, instead of the others."""
    return tuple(replace(_module("faulty", n, unseen).CASE, name=n) for n in _names("faulty", unseen))


def healthy_cases(unseen: bool = False) -> tuple[Healthy, ...]:
    """All of them, by name. unseen: those that nothing was fitted on, instead of the others."""
    return tuple(replace(_module("healthy", n, unseen).CASE, name=n) for n in _names("healthy", unseen))


def file_of(folder: str, name: str, unseen: bool = False) -> Path:
    """Where a program is written. folder: faulty or healthy."""
    return _folder(folder, unseen) / f"{name}.py"


def _folder(folder: str, unseen: bool) -> Path:
    return HERE / "unseen" / folder if unseen else HERE / folder


def _module(folder: str, name: str, unseen: bool) -> ModuleType:
    return import_module(f"cases.{'unseen.' if unseen else ''}{folder}.{name}")


def _names(folder: str, unseen: bool) -> list[str]:
    return sorted(p.stem for p in _folder(folder, unseen).glob("*.py") if not p.stem.startswith("_"))
