"""What pages need of a run folder, as plain JSON values, read once for each state of its files.

May not: write, judge by itself (it asks the rules), show an error of SQLite's to anyone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from torchdoctor.board.cache import Cache
from torchdoctor.board.folder import CURE, LOG, Place, place, places
from torchdoctor.errors import BadRun
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report, jsonable
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import DATABASE, Run

TEXT, BIG = 1_000_000, 50_000_000  # bytes of a recipe, of a report or a cure, beyond which it is not read
SHOWN = ("loss", "val_loss", "train_score", "val_score", "test_score")  # last values in the list of runs
FACTS = ("stage", "parent", "steps")


@dataclass(frozen=True)
class Board:
    """root: the folder that is shown, resolved."""

    root: Path
    cache: Cache = field(default_factory=Cache)

    def places(self) -> dict[str, Place]:
        """{key: place} of all runs."""
        return places(self.root)

    def place(self, key: str) -> Place:
        """Raises NoSuchRun."""
        return place(self.root, key)

    def kept(self, what: str, at: Place, make: Callable[[], Any]) -> Any:
        """What make() returns, made once for each state of the run's files."""
        return self.cache.get((at.key, what), at.stamp, make)

    def summary(self, at: Place) -> Mapping[str, Any]:
        """One line on the run; a damaged one has an `error`."""
        summary: Mapping[str, Any] = self.kept("summary", at, lambda: _summary(at))
        return summary

    def report(self, at: Place) -> Report:
        """What the rules say; of a finished run what they said then. Without a trace."""
        found = self.kept("report", at, lambda: _reported(at))
        return Report.from_json(json.dumps(found))


def traced(at: Place, only: Collection[str]) -> Trace:
    """These signals of the run. Raises BadRun."""
    with closing(Run(at.path)) as run:
        return run.trace(only)


def recipe_of(at: Place) -> dict[str, Any]:
    """The recipe as plain values; empty where the run came from a loop of the user's own. Raises BadRun."""
    if "recipe.yaml" not in at.files:
        return {}
    try:
        values = yaml.safe_load(_text(at, "recipe.yaml", TEXT))
    except (yaml.YAMLError, RecursionError):
        raise BadRun(f"{at.key}/recipe.yaml is damaged: it is not valid YAML.") from None
    return jsonable(values) if isinstance(values, dict) else {}


def environment_of(at: Place) -> dict[str, Any]:
    """Versions and machine; empty where they cannot be read."""
    return _json(at, "environment.json", TEXT)


def cure_of(at: Place) -> dict[str, Any]:
    """What `torchdoctor cure` kept. Raises BadRun."""
    if CURE not in at.files:
        raise BadRun(f"{at.key} holds no cure: it has no {CURE}. Make one: torchdoctor cure -c RECIPE --out FOLDER")
    if not (found := _json(at, CURE, BIG)):
        raise BadRun(f"{at.key}/{CURE} is damaged or too large.")
    return found


def _summary(at: Place) -> dict[str, Any]:
    started = str(environment_of(at).get("started", ""))
    plain: dict[str, Any] = {"started": started, "stage": "", "parent": None, "steps": None, "error": None}
    plain |= dict.fromkeys(SHOWN) | {"verdict": None, "findings": _counts(_said(at))}
    if DATABASE not in at.files:
        cure = _json(at, CURE, BIG)
        return plain | {
            "stage": "cure",
            "verdict": str(cure.get("verdict", "")),
            "findings": _counts(cure.get("report")),
        }
    try:
        with closing(Run(at.path)) as run:
            facts = {name: value for name, value in run.facts.items() if name in FACTS}
            last = {name: run.last(name) for name in SHOWN}
    except BadRun as error:
        return plain | {"error": str(error)}
    values = {name: point[1] for name, point in last.items() if point}
    steps = facts.get("steps") or max((point[0] + 1 for point in last.values() if point), default=None)
    return jsonable(plain | values | facts | {"steps": steps})  # type: ignore[no-any-return]


def _counts(report: Any) -> dict[str, int] | None:
    """{"error": 1, "warning": 0, "info": 2}; None where nobody has judged it yet."""
    try:
        severities = [f["severity"] for f in report["findings"]]
    except (TypeError, KeyError):
        return None
    return {name: severities.count(name) for name in ("error", "warning", "info")}


def _said(at: Place) -> Any:
    """findings.json of a run that is not being written any more; None where there is none, or not a whole one."""
    found = None if at.files.get(LOG) else _json(at, "findings.json", BIG)
    try:
        Report.from_json(json.dumps(found))
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return None
    return found


def _reported(at: Place) -> dict[str, Any]:
    if (found := _said(at)) is not None:
        return dict(found)
    with closing(Run(at.path)) as run:
        return dict(jsonable(judge(run.trace(), title=at.key).to_dict()))


def _json(at: Place, name: str, most: int) -> dict[str, Any]:
    try:
        found = json.loads(_text(at, name, most)) if name in at.files else {}
    except (BadRun, ValueError, RecursionError):
        return {}
    return jsonable(found) if isinstance(found, dict) else {}


def _text(at: Place, name: str, most: int) -> str:
    if at.files[name] > most:
        raise BadRun(f"{at.key}/{name} has {at.files[name]:,} bytes, more than any that torchdoctor writes.")
    try:
        return (at.path / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadRun(f"{at.key}/{name} cannot be read.") from None
