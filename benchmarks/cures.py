"""What a cure is worth: beside the fix a person made, and beside random search that may train as often.

    python -m benchmarks.cures [--only NAME] [--seeds 5] [--healthy] [--again cure] [--minutes 45] [--kept] [--write]

Each faulty program of cases/ is cured at the default budget. Then the faulty, the cured, the human-mended and the
randomly searched program are trained whole on seeds that the cure never saw, and scored by the one fixed score, each on
its own validation data. Everything is kept in build/cures/NAME.json part by part, so that a run that was stopped goes
on, after a kill too; --again makes one part anew, --kept measures nothing and takes what is there. The tables are
printed, and --write puts them into docs/cures.md: `--kept --write`, then `--kept --healthy --write`, make the page.
Cases whose fault lies where no setting and no surgery reaches, and a person must write the fix, are named in it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.cures_table import markdown, placed
from benchmarks.random_search import random_search
from cases.case import Case, Healthy, faulty_cases, healthy_cases
from cases.data import Absent
from torchdoctor.cures.arm import Length, trained
from torchdoctor.cures.cure import cure
from torchdoctor.cures.remedies import treated
from torchdoctor.cures.track import ruler_for
from torchdoctor.errors import TorchDoctorError
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.report import jsonable

KEPT, PAGE = Path("build/cures"), Path("docs/cures.md")
FIRST_SEED = 100  # far from those of a cure
PARTS = ("faulty", "human", "cure", "cured", "search", "searched")


class Kept:
    """What is known of one program, in a file that is written again after every part."""

    def __init__(self, name: str, again: Sequence[str]) -> None:
        self.file = KEPT / f"{name}.json"
        self.known: dict[str, Any] = json.loads(self.file.read_text("utf-8")) if self.file.is_file() else {}
        for part in again:
            self.known.pop(part, None)

    def part(self, name: str, make: Callable[[], Any]) -> Any:
        """What is kept under that name, made if need be."""
        if name not in self.known:
            self.known[name] = jsonable(make())
            self.file.parent.mkdir(parents=True, exist_ok=True)
            whole = self.file.with_suffix(".new")  # renamed when it is whole: a kill must not cost hours
            whole.write_text(json.dumps(self.known, indent=1), "utf-8")
            whole.replace(self.file)
        return self.known[name]

    def scores(self, name: str, experiment: Experiment, seeds: int, of: object = None) -> dict[str, float]:
        """{seed: score} of whole runs; those of another program than `of` are thrown away."""
        known = self.known.get(name, {})
        known = known.get("scores", {}) if known.get("of") == of else {}
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            if str(seed) not in known:
                known[str(seed)] = _score(experiment, seed)
                self.known.pop(name, None)
                self.part(name, lambda: {"of": of, "scores": known})
        return {seed: float(score) for seed, score in known.items()}


def main() -> None:
    options = _arguments()
    torch.set_num_threads(1)
    began, rows = time.monotonic(), []
    for case in healthy_cases() if options.healthy else faulty_cases():
        if not any(part in case.name for part in options.only or [""]):
            continue
        if options.kept and not _is_complete(case):
            continue
        if time.monotonic() - began > 60 * options.minutes:
            break
        try:
            rows.append(_healthy_row(case, options) if isinstance(case, Healthy) else _row(case, options))
        except Absent as why:
            print(f"{case.name}: left out. {why}", file=sys.stderr)
            continue
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    page = markdown(rows, options.seeds)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / ("healthy.md" if options.healthy else "table.md")).write_text(page, "utf-8")
    print(page)
    if options.write:
        PAGE.write_text(placed(PAGE.read_text("utf-8"), "healthy" if options.healthy else "faulty", page), "utf-8")


def _is_complete(case: Case | Healthy) -> bool:
    """Whether all but the random search is kept."""
    known = Kept(f"healthy-{case.name}" if isinstance(case, Healthy) else case.name, ()).known
    arms = {"cured"} if known.get("cure", {}).get("fix") else set()
    arms |= {"faulty", "human"} if isinstance(case, Case) else set()
    return "cure" in known and arms <= {*known}


def _row(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """All that the table says of a faulty program."""
    kept, faulty, human = Kept(case.name, options.again), case.faulty(), case.fixed()
    ruler = kept.part("ruler", lambda: _ruler(human))
    found = kept.part("cure", lambda: _cured(faulty))
    scores = {
        "faulty": kept.scores("faulty", faulty, options.seeds),
        "human": kept.scores("human", human, options.seeds),
    }
    scores["cured"] = _scores_with(kept, "cured", faulty, found["fix"], options.seeds, scores["faulty"])
    if options.search and not (options.kept and "search" not in kept.known):
        trials = max(1, round(1 + found["cost"]))
        best = kept.part("search", lambda: random_search(faulty, trials))
        scores["searched"] = _scores_with(kept, "searched", faulty, best["fix"], options.seeds, scores["faulty"])
    truths = [sorted(t) for t in case.truths()]
    return {"case": case.name, "truths": truths, "ruler": ruler, "scores": scores, **_told(found, truths)}


def _healthy_row(case: Healthy, options: argparse.Namespace) -> dict[str, Any]:
    kept, sound = Kept(f"healthy-{case.name}", options.again), case.experiment()
    ruler = kept.part("ruler", lambda: _ruler(sound))
    found = kept.part("cure", lambda: _cured(sound))
    scores: dict[str, dict[str, float]] = {}
    if found["fix"]:  # else nothing was changed
        scores["faulty"] = kept.scores("faulty", sound, options.seeds)
        scores["cured"] = _scores_with(kept, "cured", sound, found["fix"], options.seeds, scores["faulty"])
    return {"case": case.name, "truths": [], "ruler": ruler, "scores": scores, **_told(found, [])}


def _scores_with(
    kept: Kept, name: str, experiment: Experiment, fix: Sequence[dict[str, Any]], seeds: int, same: dict[str, float]
) -> dict[str, float]:
    """same: the scores where nothing is changed."""
    if not fix:
        return same
    return kept.scores(name, treated(experiment, [Remedy(r["fix"], r["options"]) for r in fix]), seeds, of=fix)


def _cured(experiment: Experiment) -> dict[str, Any]:
    began, used = time.perf_counter(), time.process_time()
    told = cure(experiment).to_dict()
    causes = [f["name"] for f in told["report"]["findings"] if f["kind"] == "cause" and f["severity"] != "info"]
    names = ("verdict", "reason", "fix", "proven", "cost", "code", "useless")
    races = [{k: r[k] for k in ("name", "effect", "share", "why", "errors")} for r in told["races"]]
    return {
        **{name: told[name] for name in names}, "causes": list(dict.fromkeys(causes)), "races": races,
        "uncovered": [f["name"] for f in told["uncovered"]],
        "seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - used,
    }  # fmt: skip


def _told(found: dict[str, Any], truths: Sequence[Sequence[str]]) -> dict[str, Any]:
    """named: whether a true cause is among those found; fixes: the names of those handed over."""
    right = {name for names in truths for name in names}
    seen = {*found["causes"], *found["uncovered"]}
    return {
        "verdict": found["verdict"], "cost": found["cost"], "seconds": round(found["seconds"], 1),
        "fixes": [r["fix"] for r in found["fix"]], "named": bool(right & seen), "causes": found["causes"],
    }  # fmt: skip


def _score(experiment: Experiment, seed: int) -> float:
    """Of a whole run; NaN where it fails."""
    try:
        return trained(experiment, seed, Length(experiment.epochs)).score
    except TorchDoctorError:  # a fix that could be applied with the cure's own seeds only
        return math.nan


def _ruler(experiment: Experiment) -> dict[str, Any]:
    ruler = ruler_for(experiment, experiment.parts(FIRST_SEED))
    return {"samples": ruler.samples, "kind": ruler.kind, "chance": None if math.isnan(ruler.chance) else ruler.chance}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="cases whose name holds this; may be repeated")
    parser.add_argument("--seeds", type=int, default=5, help="of the whole runs that are compared (default 5)")
    parser.add_argument("--healthy", action="store_true", help="the healthy recipes, where nothing is to be changed")
    parser.add_argument("--no-search", dest="search", action="store_false", help="leave random search out")
    parser.add_argument("--again", action="append", default=[], choices=PARTS, help="make this part anew")
    parser.add_argument("--kept", action="store_true", help="measure nothing; print what is kept")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE}")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other case after that")
    return parser.parse_args()


if __name__ == "__main__":
    main()
