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
from torchdoctor.board.folder import ASKED, CURE, LOG, Place, place, places
from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report, jsonable
from torchdoctor.judge.trace import Trace
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.run import Run
from torchdoctor.record.tags import tags_of
from torchdoctor.show.pictures import PICTURES, is_picture

TEXT, BIG = 200_000, 50_000_000  # bytes of a recipe, of a report or a cure, beyond which it is not read
DEEPEST = 30  # brackets within brackets of a recipe
IMAGES = ("picture", "sheet", "alone", "over")  # fields that hold one
LARGEST = 10**15  # of a step, or any whole number
SHOWN = ("loss", "val_loss", "train_score", "val_score", "test_score")  # last values in the list of runs
FACTS: Mapping[str, type | tuple[type, ...]] = {
    "stage": str, "parent": str, "steps": int, "fix": str, "seed": int, "share": (float, int), "score": (float, int),
}  # fmt: skip


@dataclass(frozen=True)
class Board:
    """root: the folder that is shown, resolved. benchmark: a table.json of cases.run. writable: may tags be set?"""

    root: Path
    benchmark: Path | None = None
    writable: bool = False
    cache: Cache = field(default_factory=Cache)

    def places(self) -> dict[str, Place]:
        """{key: place} of all runs."""
        return places(self.root)

    def place(self, key: str) -> Place:
        """Raises NoSuchRun."""
        return place(self.root, key)

    def kept(self, what: str, at: Place, make: Callable[[], Any]) -> Any:
        """What make() returns, made once for each state of the run's files."""
        return self.cache.get((at.key, what), at.stamp if what == "summary" else at.content, make)

    def soon(self, what: str, at: Place, make: Callable[[], Any]) -> Any:
        """The same; None while it is made for the first time and that takes long."""
        return self.cache.soon((at.key, what), at.content, make)

    def summary(self, at: Place) -> Mapping[str, Any]:
        """One line on the run; a damaged one has an `error`."""
        summary: dict[str, Any] = self.kept("summary", at, lambda: _summary(at))
        if summary["findings"] is None:  # of a run that was opened, this board knows what the rules say
            return {**summary, "findings": _counts(self.cache.peek((at.key, "report"), at.content))}
        return summary

    def recipe(self, at: Place) -> dict[str, Any]:
        """The recipe as plain values; empty where there is none. Raises BadRun."""
        return dict(self.kept("recipe", at, lambda: recipe_of(at)))

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
    text = _text(at, "recipe.yaml", TEXT)
    try:
        values = yaml.safe_load(text) if _is_simple(text) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise BadRun(f"{at.key}/recipe.yaml is damaged: it holds no recipe.")
    return dict(jsonable(values))


def _is_simple(text: str) -> bool:
    """Looked at piece by piece before it is read as a whole: of a few lines with references to each other, or of very
    deep brackets, a reader of YAML makes gigabytes or hours. A recipe has neither."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or isinstance(event, yaml.AliasEvent):
            return False
    return True


def environment_of(at: Place) -> dict[str, Any]:
    """Versions and machine; empty where they cannot be read."""
    return _json(at, "environment.json", TEXT)


def cure_of(at: Place) -> dict[str, Any]:
    """What `torchdoctor cure` kept. Raises BadRun."""
    if CURE not in at.files:
        why = "it has not ended" if ASKED in at.files else f"it has no {CURE}"
        raise BadRun(f"{at.key} holds no cure: {why}. Make one: torchdoctor cure -c RECIPE --out FOLDER")
    if not (found := _json(at, CURE, BIG)):
        raise BadRun(f"{at.key}/{CURE} is damaged or too large.")
    return found


def kept_of(at: Place, name: str) -> dict[str, Any]:
    """What evaluate or explain kept under that file's name. Raises BadRun."""
    if name not in at.files:
        raise BadRun(f"{at.key} holds no {name}: it is a folder of another kind.")
    if not (found := _json(at, name, BIG)):
        raise BadRun(f"{at.key}/{name} is damaged or too large.")
    return found


def pictures_of(at: Place) -> dict[str, Any]:
    """What was kept to be looked at; empty where nothing was. Whatever stands in the place of a picture and is none is
    left out."""
    found: dict[str, Any] = _pictured(_json(at, PICTURES, BIG))
    return found


def _pictured(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _pictured(v) for k, v in value.items() if k not in IMAGES or v is None or is_picture(v)}
    return [_pictured(v) for v in value] if isinstance(value, list) else value


def _summary(at: Place) -> dict[str, Any]:
    started = str(environment_of(at).get("started", ""))
    plain: dict[str, Any] = {"started": started, "stage": "", "error": None, "tags": list(tags_of(at.path))}
    plain |= dict.fromkeys((*FACTS, *SHOWN, "verdict")) | {"stage": "", "findings": _counts(_said(at))}
    if DATABASE not in at.files:
        cure = _json(at, CURE, BIG)
        return plain | {
            "stage": "cure",
            "verdict": str(cure.get("verdict", "")),
            "findings": _counts(cure.get("report")),
        }
    try:
        with closing(Run(at.path)) as run:
            facts = {name: value for name, value in run.facts.items() if _fits(value, FACTS.get(name, ()))}
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
        sound = all(map(_is_sound, Report.from_json(json.dumps(found))))
    except (TypeError, KeyError, ValueError, AttributeError, IndexError, RecursionError):
        return None
    return found if sound else None


def _is_sound(finding: Finding) -> bool:
    """Of the types that pages count on: a file may hold anything."""
    texts = (finding.name, finding.code, finding.message, finding.kind, finding.place, *finding.explained_by)
    numbers = (finding.confidence, *(finding.steps or ()))
    return (
        all(isinstance(text, str) for text in texts)
        and all(_fits(n, (int, float)) for n in numbers)
        and all(isinstance(step, int) for step in finding.steps or ())
        and all(_fits(value, (int, float, str)) for value in (*finding.evidence.values(), *finding.where))
    )


def _fits(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Of that type, and no whole number that is too large to be written as another."""
    return isinstance(value, kind) and not (isinstance(value, int) and abs(value) > LARGEST)


def _reported(at: Place) -> dict[str, Any]:
    if (found := _said(at)) is not None:
        return dict(found)
    with closing(Run(at.path)) as run:
        return dict(jsonable(judge(run.trace(), title=at.key).to_dict()))


def _json(at: Place, name: str, most: int) -> dict[str, Any]:
    try:
        found = jsonable(json.loads(_text(at, name, most))) if name in at.files else {}
    except (BadRun, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(at: Place, name: str, most: int) -> str:
    if at.files[name] > most:
        raise BadRun(f"{at.key}/{name} has {at.files[name]:,} bytes, more than any that torchdoctor writes.")
    try:
        return (at.path / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadRun(f"{at.key}/{name} cannot be read.") from None
