"""Find the one unit each file of a folder holds. No registry: a folder's files are its members.

A folder that also holds parts of the engine (the probes' bench, what a fix is) lists them in its __init__ as
`ENGINE = ("probe", "bench")`; those files hold no unit, all others hold exactly one.

Outsiders add theirs through entry points of the same name: `torchdoctor.rules`, `.signals`, `.probes`,
`.fixes`, `.verbs`; each entry point names a module that holds one unit, like a file here.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Protocol, TypeVar

from torchdoctor.errors import BadUnit, did_you_mean


class Unit(Protocol):
    """What every unit has: its name, and the module it was written in."""

    @property
    def name(self) -> str: ...
    @property
    def module(self) -> str: ...


U = TypeVar("U", bound=Unit)
_GROUPS = {"cli": "verbs"}  # entry point groups that are not called like the folder


@cache
def discover(folder: str, kind: type[U]) -> dict[str, U]:
    """{name: unit} of every module under torchdoctor.<folder>, then of every entry point of that group.

    Raises BadUnit when a file holds no unit or more than one, or when two share a name. Files the folder lists as
    parts of the engine are left out.
    """
    found: dict[str, U] = {}
    for module in _modules(folder):
        own = [v for v in vars(module).values() if isinstance(v, kind) and v.module == module.__name__]
        if len(own) != 1:
            raise BadUnit(f"{module.__name__} must hold exactly one {kind.__name__}; it holds {len(own)}.")
        if own[0].name in found:
            raise BadUnit(
                f"{module.__name__} and {found[own[0].name].module} are both called {own[0].name!r}; rename one."
            )
        found[own[0].name] = own[0]
    return found


def find(folder: str, kind: type[U], name: str) -> U:
    """The unit of that name; BadUnit with the nearest name when there is none."""
    units: dict[str, U] = discover(folder, kind)  # cache() forgets the type
    if name not in units:
        raise BadUnit(f"{folder} has no {name!r}. {did_you_mean(name, units)}")
    return units[name]


def _modules(folder: str) -> list[ModuleType]:
    package = import_module(f"torchdoctor.{folder}")
    engine = {f"{package.__name__}.{name}" for name in getattr(package, "ENGINE", ())}
    files = {m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".") if not m.ispkg}
    if absent := engine - files:
        raise BadUnit(f"ENGINE of {package.__name__} lists {sorted(absent)}, no files of it; strike them out.")
    inside = files - engine
    outside = [e.load() for e in entry_points(group=f"torchdoctor.{_GROUPS.get(folder, folder)}")]
    return [import_module(name) for name in sorted(inside)] + outside
