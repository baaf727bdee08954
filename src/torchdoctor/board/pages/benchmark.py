"""Page `benchmark`: what the rules found in public faulty programs and in healthy ones."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torchdoctor.board.opened import BIG, Board
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.errors import BadRun

KINDS = ("faulty", "healthy", "twins")
HOW = "Make one: python -m cases.run; then: torchdoctor board --benchmark build/cases/table.json"


@page
def benchmark(board: Board, asked: Asked) -> Made:
    """The totals, what each rule found, missed and said wrongly, and each program with what was found in it. `q`
    filters programs and rules by name."""
    path = board.benchmark
    if path is None:
        raise BadRun(f"The board was given no benchmark. {HOW}")
    word = asked.words.get("q", "")[:200].strip().lower()
    with damaged("benchmark", path.name):
        rows = {kind: [_row(r) for r in some] for kind, some in _read(path).items() if kind in KINDS}
        faulty, healthy = rows.get("faulty", []), [*rows.get("healthy", []), *rows.get("twins", [])]
        return {
            "file": path.name, "q": word, "totals": _totals(faulty, healthy), "rules": _rules(faulty, healthy, word),
            "rows": {kind: [r for r in some if word in r["case"].lower()] for kind, some in rows.items()},
        }  # fmt: skip


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > BIG:
            raise BadRun(f"{path} has {path.stat().st_size:,} bytes, more than any benchmark. {HOW}")
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise BadRun(f"{path} holds no benchmark ({type(error).__name__}). {HOW}") from None


def _row(r: Mapping[str, Any]) -> dict[str, Any]:
    """truths: for each fault the names that are right. place: was a right place named? None where there is none."""
    truths = [[str(name) for name in names] for names in r["truths"]]
    rank = None if r["rank"] is None else int(r["rank"])
    score = float(r["score"]) if r["score"] is not None else math.nan
    return {"case": str(r["case"]), "seed": int(r["seed"]), "truths": truths, "found": [str(n) for n in r["found"]],
            "causes": [str(n) for n in r["causes"]], "rank": rank, "place": r["place"], "score": score,
            "seconds": float(r["seconds"]), "crashed": [str(c) for c in r["crashed"]]}  # fmt: skip


def _totals(faulty: list[dict[str, Any]], healthy: list[dict[str, Any]]) -> dict[str, float]:
    """Shares over runs; NaN where there is nothing to count. precision: of named causes; recall: of faults."""
    named = sum(len(r["causes"]) for r in faulty)
    hits = sum(len(_right(r) & set(r["causes"])) for r in faulty)
    recalled = [bool(set(names) & set(r["causes"])) for r in faulty for names in r["truths"]]
    return {
        "faulty_runs": len(faulty), "detection": _share(bool(r["found"]) for r in faulty),
        "first": _share(r["rank"] == 1 for r in faulty), "third": _share((r["rank"] or 9) <= 3 for r in faulty),
        "precision": hits / named if named else math.nan, "recall": _share(recalled),
        "where": _share(bool(r["place"]) for r in faulty if r["place"] is not None),
        "healthy_runs": len(healthy), "alarms": _share(bool(r["found"]) for r in healthy),
        "seconds": statistics.median([r["seconds"] for r in (*faulty, *healthy)] or [math.nan]),
    }  # fmt: skip


def _rules(faulty: list[dict[str, Any]], healthy: list[dict[str, Any]], word: str) -> dict[str, dict[str, int]]:
    """{rule: how often it was right, wrong, missed, and alarmed on a healthy run}, those with most alarms first."""
    right = Counter(n for r in faulty for n in _right(r) & set(r["causes"]))
    wrong = Counter(n for r in faulty for n in set(r["causes"]) - _right(r))
    missed = Counter(names[0] for r in faulty for names in r["truths"] if not set(names) & set(r["causes"]))
    alarms = Counter(n for r in healthy for n in r["found"])
    names = sorted({*right, *wrong, *missed, *alarms}, key=lambda n: (-alarms[n], -wrong[n], n))
    counts = {"right": right, "missed": missed, "wrong": wrong, "alarms": alarms}
    return {name: {kind: of[name] for kind, of in counts.items()} for name in names if word in name}


def _right(r: Mapping[str, Any]) -> set[str]:
    return {name for names in r["truths"] for name in names}


def _share(values: Iterable[bool]) -> float:
    given = list(values)
    return sum(given) / len(given) if given else math.nan
