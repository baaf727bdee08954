"""Page `cure`: what `torchdoctor cure` proved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torchdoctor.board.folder import CURE
from torchdoctor.board.listing import listed
from torchdoctor.board.opened import Board, cure_of
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.judge.finding import Remedy
from torchdoctor.show.charts.effects import Effect, effects
from torchdoctor.show.remedy import call


@page
def cure(board: Board, asked: Asked) -> Made:
    """The verdict, scores before and after, the races with their intervals, and what to change."""
    at = board.place(asked.run)
    found = cure_of(at)
    inside = [row for key, row in listed(board).items() if key.startswith(f"{at.key}/")]
    with damaged(at.key, CURE):
        races = [_race(race) for race in found["races"]]
        bars = [_bar(race) for race in races if not race["quick"]]
        option = effects(bars, asked.texts)
        return {
            "key": at.key, "verdict": str(found["verdict"]), "reason": str(found["reason"]),
            "before": _scores(found["before"]), "after": _scores(found["after"]),
            "unproven": [{name: str(o[name]) for name in ("what", "why", "look")} for o in found.get("unproven", [])],
            "diff": str(found["diff"]), "source_diff": str(found.get("source_diff", "")),
            "by_hand": str(found["by_hand"]), "code": str(found["code"]),
            "races": races, "useless": {str(k): str(v) for k, v in found["useless"].items()},
            "findings": [_finding(f) for f in found["report"]["findings"]],
            "cost": float(found["cost"]), "seconds": float(found["seconds"]),
            "beside": [row["key"] for row in inside if row["fix"] is None],
            "arms": sum(row["fix"] is not None for row in inside),
            "charts": {"races": option} if option else {},
        }  # fmt: skip


def _race(race: Mapping[str, Any]) -> dict[str, Any]:
    """quick: a trial on one seed that only chose what to race. bounds: mean, low, high of the effect; NaN: unknown."""
    effect = race["effect"]
    bounds = [math.nan if effect[name] is None else float(effect[name]) for name in ("mean", "low", "high")]
    changed = [call(Remedy(str(r["fix"]), dict(r["options"]))) for r in race["changed"]]
    return {
        "name": " + ".join(changed), "why": str(race["why"]), "causes": [str(c) for c in race["causes"]],
        "beside": [str(r["fix"]) for r in race["on_top_of"]], "proven": bool(race["proven"]),
        "seeds": min(int(effect["seeds"]), 10**6), "share": float(race["share"]), "bounds": bounds,
        "before": _mean(race["without"]), "after": _mean(race["with"]),
        "quick": effect["seeds"] == 1 and race["share"] < 1, "errors": [str(e) for e in race["errors"]],
    }  # fmt: skip


def _bar(race: Mapping[str, Any]) -> Effect:
    mean, low, high = race["bounds"]
    return Effect(race["name"], mean, low, high, race["proven"])


def _mean(scores: Mapping[str, Any]) -> float:
    """A run that failed has no score, and neither has a mean with it."""
    return sum(map(float, scores.values())) / len(scores) if scores else math.nan


def _scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {"mean": float(scores["mean"]), "by_seed": {str(s): float(v) for s, v in scores["by_seed"].items()}}


def _finding(finding: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(finding[key]) for key in ("name", "code", "severity", "message", "kind")}
