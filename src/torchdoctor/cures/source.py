"""The fix in the user's own files: a patch where the very numbers can be found in them, else the line to look at.

Nobody's file is changed. What a remedy does is seen by building with and without it; where only settings differ that
stand in the source once, as a literal or as a constant of the module, the patch says the new ones.
May not: write files, train, judge, print, know a fix by name.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torchdoctor.cures.arm import built
from torchdoctor.cures.remedies import treated, unsaid
from torchdoctor.errors import TorchDoctorError
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.train.seed import random_state, set_random_state

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class InSource:
    """diff: a unified diff of the user's files, "" where nothing of the fix could be placed to the letter. said: the
    fixes that are in it. places: {fix: "models.py:12, Classifier"} of the others, which a person must write there."""

    diff: str = ""
    said: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


def in_source(experiment: Experiment, remedies: Sequence[Remedy], seed: int = 0) -> InSource:
    """Of the remedies that no recipe says. Random numbers are afterwards where they were."""
    left, numbers = unsaid(experiment, remedies), random_state()
    file = _file_of(experiment.build)
    try:
        return _found(experiment, left, file, "" if file is None else file.read_text("utf-8"), seed)
    except (TorchDoctorError, OSError, UnicodeDecodeError, SyntaxError):
        return InSource()  # the cure holds without it
    finally:
        set_random_state(numbers)


def _found(experiment: Experiment, left: Sequence[Remedy], file: Path | None, source: str, seed: int) -> InSource:
    if not left:
        return InSource()
    before, tree = built(experiment, seed), ast.parse(source)
    edits: dict[ast.Constant, Any] = {}
    said: list[str] = []
    places: dict[str, str] = {}
    for remedy in left:
        after = treated(experiment, [remedy])
        parts = built(after, seed)
        old, new = _settings(before, experiment.epochs), _settings(parts, after.epochs)
        settings_only = _structure(before) == _structure(parts) and after.fit is experiment.fit
        if settings_only and (found := _edits(tree, old, new)):
            edits |= found
            said.append(remedy.fix)
        elif place := _place(experiment, after, before, parts):
            places[remedy.fix] = place
    return InSource(_diff(file, source, edits) if file is not None and edits else "", tuple(said), places)


def _edits(tree: ast.Module, old: Settings, new: Settings) -> dict[ast.Constant, Any]:
    """{what stands there: the new value}; empty where a setting that changes is not found just once."""
    edits = {}
    for name in (name for name in new if new[name] != old.get(name)):
        sites = list(_sites(tree, name, old.get(name)))
        if len(sites) != 1:
            return {}
        edits[sites[0]] = new[name]
    return edits


def _settings(parts: Parts, epochs: int) -> Settings:
    """What people write as keyword arguments: of the optimizer, the training loader and the experiment."""
    group = parts.optimizer.param_groups[0]
    known = inspect.signature(type(parts.optimizer)).parameters
    found = {k: v for k, v in group.items() if k in known and isinstance(v, (int, float))}
    size = getattr(parts.train, "batch_size", None)
    return {**found, **({"batch_size": size} if isinstance(size, int) else {}), "epochs": epochs}


def _structure(parts: Parts) -> tuple[str, ...]:
    """All else that a remedy can change."""
    loaders = tuple(type(loader).__qualname__ for loader in (parts.train, parts.val))
    return repr(parts.model), repr(parts.loss_fn), type(parts.optimizer).__qualname__, *loaders


def _sites(tree: ast.Module, name: str, value: Any) -> Iterator[ast.Constant]:
    """Where a call is given name=value: the literal there, or the one that a constant of the module is set to."""
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    seen: set[ast.Constant] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for keyword in (k for k in call.keywords if k.arg == name):
            given = keyword.value
            at = constants.get(given.id) if isinstance(given, ast.Name) else given
            if isinstance(at, ast.Constant) and at.value == value and at not in seen:
                seen.add(at)
                yield at


def _diff(file: Path, source: str, edits: Mapping[ast.Constant, Any]) -> str:
    lines = source.splitlines(keepends=True)
    after = list(lines)
    for at, value in sorted(edits.items(), key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        line = after[at.lineno - 1].encode()  # columns are counted in bytes
        after[at.lineno - 1] = (line[: at.col_offset] + _literal(value) + line[at.end_col_offset or 0 :]).decode()
    name = os.path.relpath(file)
    return "".join(difflib.unified_diff(lines, after, f"a/{name}", f"b/{name}"))


def _literal(value: Any) -> bytes:
    return (f"{value:.6g}" if isinstance(value, float) else repr(value)).encode()


def _place(experiment: Experiment, after: Experiment, before: Parts, parts: Parts) -> str:
    """The loop where that is at fault; the user's own class of a model that changes; else what builds the parts."""
    makers: list[Any] = [experiment.build]
    if repr(before.model) != repr(parts.model):
        makers.insert(0, type(before.model))
    if after.fit is not experiment.fit:
        makers.insert(0, experiment.fit)
    for maker in makers:
        if maker is not None and (file := _file_of(maker)) is not None:
            return f"{os.path.relpath(file)}:{inspect.getsourcelines(_plain(maker))[1]}, {_plain(maker).__name__}"
    return ""


def _file_of(thing: Callable[..., Any]) -> Path | None:
    """The file of the user's that it is written in; None for what is installed, or typed at a prompt."""
    try:
        file = inspect.getsourcefile(_plain(thing))
    except TypeError:
        return None
    return None if file is None or not Path(file).is_file() or "site-packages" in file or _is_own(thing) else Path(file)


def _is_own(thing: Callable[..., Any]) -> bool:
    module = getattr(_plain(thing), "__module__", "") or ""
    return module.partition(".")[0] in ("torchdoctor", "torch")


def _plain(thing: Any) -> Any:
    """The function or class itself."""
    while isinstance(thing, partial):
        thing = thing.func
    if inspect.isfunction(thing) or inspect.ismethod(thing) or inspect.isclass(thing):
        return inspect.unwrap(thing)
    return type(thing)
