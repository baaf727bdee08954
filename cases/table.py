"""What was found against what is there: one line per run, the rules' hits and false alarms, and the totals."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torchdoctor.judge.judge import all_rules
from torchdoctor.judge.ranking import ranked
from torchdoctor.judge.report import Report

Said = tuple[str, str, str, float]  # name, kind, severity, the rule's own confidence


@dataclass(frozen=True)
class Row:
    """One run. truths: the names that are right, one list per fault; empty for a healthy recipe. found: the names of
    all alarms in the report's order; causes: those that are causes. place: whether a true finding names a place that
    is right; None where there is none to name, or no true finding. skipped: why it was not run.

    task: of the program, by which it is kept together with its like. step: after which a true cause could be named, 0
    before training. probing: seconds of the probes, a part of `seconds`. said: of every finding, hints too, name, kind,
    severity and the rule's own confidence; likelihoods are counted from it. rivals: what other tools' rules say.
    """

    case: str
    seed: int
    truths: tuple[tuple[str, ...], ...] = ()
    found: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    place: bool | None = None
    seconds: float = 0.0
    score: float = float("nan")
    crashed: tuple[str, ...] = ()
    skipped: str = ""
    task: str = ""
    step: int | None = None
    probing: float = 0.0
    said: tuple[Said, ...] = ()
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def right(self) -> frozenset[str]:
        return frozenset(name for names in self.truths for name in names)

    @property
    def rank(self) -> int | None:
        """Of the first true cause among the causes that were named; None when none was."""
        return next((i for i, name in enumerate(self.causes, 1) if name in self.right), None)

    @property
    def recalled(self) -> int:
        """Faults of which a right name was given."""
        return sum(bool(set(names) & set(self.causes)) for names in self.truths)


def row(
    case: str,
    seed: int,
    truths: Iterable[frozenset[str]],
    where: Sequence[str] | None,
    report: Report,
    told: dict[str, Any],
) -> Row:
    """What a report says of a run; its confidences are those of the rules."""
    said = tuple((f.name, str(f.kind), str(f.severity), f.confidence) for f in report)
    report = replace(report, findings=ranked(report.findings))
    alarms = [f for f in report if f.alarm]
    names = tuple(dict.fromkeys(f.name for f in alarms))
    faults = listed(truths)
    seen = _only_seen(faults)
    causes = tuple(dict.fromkeys(f.name for f in alarms if f.kind == "cause" or f.name in seen))
    right = {name for either in faults for name in either}
    named = [str(w) for f in alarms if f.name in right for w in f.where]
    found = any(f.name in right for f in alarms)
    place = any(_same_place(a, b) for a in where for b in named) if where and found else None
    seconds = told.get("probing_seconds", 0.0) + told.get("training_seconds", 0.0)
    crashed = (*report.crashed, *(f"{told['error']}",) * bool(told.get("error")))
    return Row(
        case, seed, faults, names, causes, place, round(seconds, 2), told.get("score", float("nan")), crashed,
        probing=round(told.get("probing_seconds", 0.0), 2), said=said,
    )  # fmt: skip


def _only_seen(faults: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Names of faults that the vocabulary has as symptoms alone: what there is to name, so they count as causes do."""
    kinds = {rule.name: rule.kind for rule in all_rules()}
    return frozenset(name for names in faults if all(kinds.get(name) == "symptom" for name in names) for name in names)


def listed(truths: Iterable[frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """The names of each fault in the order of the alphabet, for JSON."""
    return tuple(tuple(sorted(names)) for names in truths)


def totals(faulty: Sequence[Row], healthy: Sequence[Row]) -> dict[str, float]:
    """Shares over runs. precision: of named causes that are right; recall: of faults that were named."""
    named = sum(len(r.causes) for r in faulty)
    return {
        "faulty runs": len(faulty),
        "detection": _share(bool(r.found) for r in faulty),
        "first cause right": _share(r.rank == 1 for r in faulty),
        "in first three": _share(r.rank is not None and r.rank <= 3 for r in faulty),
        "precision": sum(len(r.right & set(r.causes)) for r in faulty) / named if named else float("nan"),
        "recall": _ratio(sum(r.recalled for r in faulty), sum(len(r.truths) for r in faulty)),
        "a right place named, where there is one": _share(r.place for r in faulty if r.place is not None),
        "healthy runs": len(healthy),
        "healthy runs with an alarm": _share(bool(r.found) for r in healthy),
        "median seconds": statistics.median([r.seconds for r in (*faulty, *healthy)] or [0.0]),
    }


def by_rule(faulty: Sequence[Row], healthy: Sequence[Row]) -> dict[str, dict[str, int]]:
    """{rule: right, missed, wrong on faulty runs; alarms on healthy ones}. Symptoms are never right nor wrong."""
    right, missed, wrong, symptoms = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for r in faulty:
        right.update(r.right & set(r.causes))
        wrong.update(set(r.causes) - r.right)
        symptoms.update(set(r.found) - set(r.causes))
        missed.update(names[0] for names in r.truths if len(names) == 1 and names[0] not in r.causes)
    alarms = Counter(name for r in healthy for name in r.found)
    kinds = {"right": right, "missed": missed, "wrong": wrong, "seen": symptoms, "healthy": alarms}
    names = sorted({name for counted in kinds.values() for name in counted})
    return {name: {kind: counted[name] for kind, counted in kinds.items()} for name in names}


RUNS = ("case", "seed", "faults", "found", "rank", "where", "known at step", "score", "probes, s", "all, s")
RULES = ("rule", "right", "missed", "wrong", "symptom seen", "healthy runs alarmed")


def markdown(faulty: Sequence[Row], healthy: Sequence[Row], skipped: Sequence[Row]) -> str:
    """The whole table as a page."""
    sums = [(name, figure(name, value)) for name, value in totals(faulty, healthy).items()]
    rules = [(name, *counts.values()) for name, counts in by_rule(faulty, healthy).items()]
    parts = {
        "# What the rules find": grid(("", ""), sums),
        "## Rules": grid(RULES, rules),
        "## Faulty programs": grid(RUNS, map(cells, faulty)),
        "## Healthy recipes": grid(RUNS, map(cells, healthy)),
        "## Not run": "\n".join(f"{r.case}: {r.skipped}" for r in skipped) or "Nothing was left out.",
    }
    return "\n\n".join(f"{title}\n\n{text}" for title, text in parts.items()) + "\n"


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def plain(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """For JSON."""
    return [{**asdict(r), "rank": r.rank} for r in rows]


def cells(r: Row) -> tuple[object, ...]:
    """One line of a table of RUNS."""
    truths = "; ".join(" / ".join(names) for names in r.truths) or "none"
    place = {None: "", True: "right", False: "wrong"}[r.place]
    found = ", ".join((*r.found, *(f"[{c}]" for c in r.crashed))) or "nothing"
    step = "" if r.step is None else r.step
    times = f"{r.probing:.1f}", f"{r.seconds:.1f}"
    return r.case, r.seed, truths, found, r.rank or "", place, step, f"{r.score:.3f}", *times


def _same_place(expected: str, named: str) -> bool:
    return expected == named or named.startswith(expected + ".") or expected.startswith(named + ".")


def _share(values: Iterable[object]) -> float:
    given = [bool(v) for v in values]
    return _ratio(sum(given), len(given))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def figure(name: str, value: float) -> str:
    """Runs as a whole number, all else with three digits."""
    return f"{value:.0f}" if name.endswith("runs") else f"{value:.3f}"
