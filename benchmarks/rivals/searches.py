"""Is something else clearly better? A sweep of the learning rate, and random search at equal compute, as detectors.

    python -m benchmarks.rivals.searches [--only NAME] [--cheapest 12]

The oldest way to find out that something is wrong: train again with other settings and see. A program is trained as
it is, at six rates from a thousandth to a thousand times the planned one, and as often with settings drawn at random
(benchmarks/random_search.py). The detector alarms when the best is better by MARGIN. A sweep names the rate, too
high or too low; random search names nothing. One seed, and only programs that train fast: a stated few, as it takes
fourteen trainings a program. Results are kept in build/cases/searches.json as they come.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from benchmarks.random_search import random_search
from cases.case import HERE, Program, faulty_cases, healthy_cases
from cases.data import Absent
from torchdoctor.cures.arm import Length, trained
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts

KEPT = HERE.parent / "build" / "cases" / "searches.json"
FACTORS = (1e-3, 1e-2, 1e-1, 1e1, 1e2, 1e3)  # of the planned rate; the seventh is the planned one
MARGIN = 0.05  # of a score between 0 and 1; of the planned score's size for scores of a program's own
SEED = 0


@dataclass(frozen=True)
class Searched:
    """planned: the score as it is. rate: the best factor, and swept: its score. drawn: the best of random search."""

    kind: str
    case: str
    faults: tuple[str, ...]
    planned: float
    rate: float
    swept: float
    drawn: float

    @property
    def sweep_alarms(self) -> bool:
        """Another rate is clearly better, or the only one that works."""
        return better(self.swept, self.planned)

    @property
    def draw_alarms(self) -> bool:
        """Other settings are clearly better."""
        return better(self.drawn, self.planned)

    @property
    def sweep_names(self) -> str:
        """What the sweep takes for the cause."""
        return ("high" if self.rate < 1 else "low") + "-learning-rate" if self.sweep_alarms else ""


def better(score: float, planned: float) -> bool:
    """Clearly: by MARGIN, or where the planned one has no score at all."""
    if math.isnan(score):
        return False
    return math.isnan(planned) or score - planned > MARGIN * max(1.0, abs(planned))


def searched(kind: str, case: str, faults: tuple[str, ...], program: Program) -> Searched:
    """Fourteen trainings of one program."""
    planned = _score(program())
    swept = {factor: _score(_at(program(), factor)) for factor in FACTORS}
    rate = max(swept, key=lambda f: -math.inf if math.isnan(swept[f]) else swept[f])
    drawn = float(random_search(program(), len(FACTORS) + 1, SEED)["score"])
    return Searched(kind, case, faults, planned, rate, swept[rate], drawn)


def main(arguments: Sequence[str] | None = None) -> int:
    """Search for each program that was asked for, the fastest ones first, and print what would have been detected."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    done = kept()
    for kind, case, faults, program in _programs(asked.only, asked.cheapest):
        if any((s.kind, s.case) == (kind, case) for s in done):
            continue
        try:
            done.append(searched(kind, case, faults, program))
        except Absent as why:
            print(f"{case}: skipped, {why}", file=sys.stderr)
            continue
        KEPT.write_text(json.dumps([asdict(s) for s in done], indent=1), "utf-8")
        print(done[-1], flush=True)
    return 0


def kept() -> list[Searched]:
    """What was searched until now."""
    if not KEPT.is_file():
        return []
    return [Searched(**{**d, "faults": tuple(d["faults"])}) for d in json.loads(KEPT.read_text("utf-8"))]


def _score(experiment: Experiment) -> float:
    return trained(experiment, SEED, Length(experiment.epochs)).score


def _at(experiment: Experiment, factor: float) -> Experiment:
    def build(seed: int) -> Parts:
        return experiment.parts(seed).with_rate(factor)

    return replace(experiment, build=build)


def _programs(only: Sequence[str] | None, cheapest: int) -> list[tuple[str, str, tuple[str, ...], Program]]:
    """Of each kind the `cheapest` by the recorded time of training."""
    faulty = [("faulty", c.name, tuple(sorted(set().union(*c.truths()))), c.faulty) for c in faulty_cases()]
    healthy: list[tuple[str, str, tuple[str, ...], Program]] = [
        ("healthy", c.name, (), c.experiment) for c in healthy_cases()
    ]
    chosen = [[p for p in ps if any(part in p[1] for part in only or [""])] for ps in (faulty, healthy)]
    return [p for ps in chosen for p in sorted(ps, key=lambda p: _seconds(p[0], p[1]))[:cheapest]]


def _seconds(kind: str, case: str) -> float:
    note = KEPT.parent / kind / case / "0" / "watched" / "kept.json"
    return float(json.loads(Path(note).read_text("utf-8"))["training_seconds"]) if note.is_file() else math.inf


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.searches", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="programs whose name holds this")
    parser.add_argument("--cheapest", type=int, default=12, help="of faulty and of sound ones each (default 12)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
