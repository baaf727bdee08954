"""Page `evaluation`: how good a trained run is, and where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torchdoctor.board.folder import EVALUATION
from torchdoctor.board.listing import listed
from torchdoctor.board.opened import Board, kept_of, pictures_of
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.show.charts.evaluation import pictures
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import chance, within

GALLERIES = ("worst", "suspects", "hard")


@page
def evaluation(board: Board, asked: Asked) -> Made:
    """Scores with intervals, averages, the confusion matrix, overlap, moved thresholds, reliability, slices, disturbed
    inputs, layers, and the samples that are answered worst, whose labels are in doubt, and that are hardest."""
    at, t = board.place(asked.run), asked.texts
    found = board.kept("evaluation", at, lambda: kept_of(at, EVALUATION))
    seen = board.kept("pictures", at, lambda: pictures_of(at))
    row = listed(board).get(at.key, {})
    with damaged(at.key, EVALUATION):
        here = found["scores"][found["on"]]
        return {
            "key": at.key, "parent": row.get("parent"), "kind": str(found["kind"]),
            "measure": str(found["measure"]), "on": str(found["on"]),
            "samples": int(here["samples"]), "score": _interval(here["score"]),
            "scores": [_score(t.word(f"part.{part}"), s) for part, s in found["scores"].items()],
            "averages": [(t.word(f"average.{name}"), _interval(i)) for name, i in found.get("averages", {}).items()],
            "compared": [_compared(c, t) for c in [*found["baselines"], found["against"]] if c],
            "classes": [_class(c) for c in found["by_class"]],
            "regions": [_region(r) for r in found.get("regions", [])],
            "thresholds": [_threshold(moved) for moved in found.get("thresholds", [])],
            "residuals": _residuals(found["residuals"], t),
            "slices": [_slice(s, t) for s in found["slices"]],
            "calibration": _calibration(found["calibration"]),
            "tests": [(str(t["name"]), bool(t["passed"]), str(t["said"])) for t in _tests(found)],
            "layers": [_layer(p) for p in (found["bottlenecks"] or {}).get("probes", [])],
            "times": [_time(of) for of in (found["bottlenecks"] or {}).get("times", [])],
            "batch": int((found["bottlenecks"] or {}).get("batch", 0)),
            "galleries": {name: _gallery(found[name], seen.get("samples", {})) for name in GALLERIES if found[name]},
            "left_out": {str(name): str(why) for name, why in found["left_out"].items()},
            "findings": [f.to_dict() for f in board.report(at)] if not row.get("error") else [],
            "related": _related(board, at.key, row.get("parent")),
            "has_projection": "tsne" in seen.get("projection", {}),
            "charts": pictures(found, t),
        }  # fmt: skip


def _interval(i: Mapping[str, Any]) -> str:
    return within(float(i["value"]), float(i["low"]), float(i["high"]))


def _score(part: str, s: Mapping[str, Any]) -> tuple[str, int, str, float]:
    return part, int(s["samples"]), _interval(s["score"]), float(s["loss"])


def _compared(c: Mapping[str, Any], t: Texts) -> tuple[str, str, str, str]:
    return t.word(f"baseline.{c['other']}"), _interval(c["score"]), _interval(c["lead"]), chance(float(c["p_value"]))


def _class(c: Mapping[str, Any]) -> tuple[str, int, str, str, str]:
    return str(c["name"]), int(c["count"]), _interval(c["recall"]), _interval(c["precision"]), _interval(c["f1"])


def _region(r: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return str(r["name"]), f"{float(r['share']):.1%}", _interval(r["iou"]), _interval(r["dice"])


def _threshold(moved: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return str(moved["name"]), f"{float(moved['value']):.2f}", _interval(moved["before"]), _interval(moved["after"])


def _residuals(r: Mapping[str, Any] | None, t: Texts) -> dict[str, str]:
    """Measures of errors with their intervals, by what they are called."""
    return {t.word(f"residual.{name}"): _interval(r[name]) for name in ("mae", "rmse", "r2", "bias")} if r else {}


def _slice(s: Mapping[str, Any], t: Texts) -> dict[str, Any]:
    return {"column": t.word(f"column.{s['column']}"), "group": str(s["group"]),
            "count": int(s["count"]), "score": _interval(s["score"]),
            "p": chance(float(s["p_value"])), "worse": bool(s["worse"])}  # fmt: skip


def _calibration(c: Mapping[str, Any] | None) -> dict[str, float]:
    """Numbers of what is known of it, by name."""
    names = ("error", "noise", "gap", "temperature", "error_after")
    return {name: float(c[name]) for name in names if c[name] is not None} if c else {}


def _tests(found: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    tests: Iterable[Mapping[str, Any]] = (found["robustness"] or {}).get("self_tests", [])
    return tests


def _layer(p: Mapping[str, Any]) -> tuple[str, str, int, str]:
    return str(p["layer"]), str(p["type"]), int(p["width"]), _interval(p["score"]) + (" ↓" if p["falls"] else "")


def _time(of: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return str(of["layer"]), str(of["type"]), f"{float(of['milliseconds']):.3f}", f"{float(of['share']):.0%}"


def _gallery(samples: Iterable[Mapping[str, Any]], seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each sample with what it was called, how surely, and its picture or its row where that was kept."""
    return [
        {"index": int(s["index"]), "truth": str(s["truth"]), "guess": str(s["guess"]),
         "sure": float(s["confidence"]), "name": str(s["index"]),
         **{key: str(value) for key, value in dict(seen.get(str(s["index"]), {})).items()}}
        for s in samples
    ]  # fmt: skip


def _related(board: Board, key: str, parent: str | None) -> dict[str, list[str]]:
    """{"evaluation": keys, "explanation": keys} of the same run."""
    rows = [row for row in listed(board).values() if parent and row["parent"] == parent and row["key"] != key]
    kinds = {kind: [row["key"] for row in rows if row["stage"] == kind][:20] for kind in ("evaluation", "explanation")}
    return {kind: keys for kind, keys in kinds.items() if keys}
