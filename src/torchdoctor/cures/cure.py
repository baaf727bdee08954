"""cure: examine, train once under watch, judge, race remedies for what was found, and hand over what won.

    cure = td.cure(td.Experiment(build, epochs=20))
    cure.show()
    parts = cure.parts(seed=0)

Order: probes and one whole watched run give one trace, and the rules a report. No alarm: healthy, nothing is changed.
Alarms without a remedy: refused. Else a search over remedies by paired races, and at last whole runs of the unchanged
and the cured experiment on the same seeds. What loses is never handed over.
May not: print, know a rule, a fix or a probe by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from torchdoctor.cures.arm import INTERRUPTED, Outcome, built
from torchdoctor.cures.budget import Budget
from torchdoctor.cures.candidates import candidates
from torchdoctor.cures.meeting import Meeting, remedies_of
from torchdoctor.cures.progress import ReportProgress
from torchdoctor.cures.race import Race, plain
from torchdoctor.cures.remedies import lines_of, names_of, patch_of, unsaid
from torchdoctor.cures.search import Search
from torchdoctor.cures.track import SEED, Track
from torchdoctor.cures.verdict import Verdict, after_search, without_search
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment, Fit
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report, jsonable
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Parts
from torchdoctor.probes.check import examine, with_reasons
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.loop import fit as own_fit
from torchdoctor.train.seed import random_state, set_random_state

FIRST_LOOK, SECOND_LOOK = 60.0, 30.0  # seconds for the probes, at most: what is left out on a busy machine is not found


@dataclass(frozen=True)
class Scores:
    """{seed: score} of whole runs."""

    by_seed: Mapping[int, float]

    @property
    def mean(self) -> float:
        """NaN when there is none."""
        return float(np.mean(list(self.by_seed.values()))) if self.by_seed else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"mean": self.mean, "by_seed": {str(s): v for s, v in self.by_seed.items()}}


@dataclass(frozen=True)
class Cure:
    """report: what was found. races: what was tried, in order. fix: what is handed over, empty unless cured.

    reason: the verdict in one or two sentences. before, after: scores of whole runs, on the same seeds; `after` is
    empty where there is no fix, or no budget for it. uncovered: what came to light once the first remedies were in
    place, told of the network with them. report_after: what is found in a whole run with the fix.
    experiment: with the fix; original: without.
    useless: {finding: why its remedies cannot be used here}. cost: training runs, the first one not counted.
    """

    report: Report
    races: tuple[Race, ...]
    verdict: Verdict
    reason: str
    fix: tuple[Remedy, ...]
    before: Scores
    after: Scores
    experiment: Experiment
    original: Experiment
    uncovered: tuple[Finding, ...] = ()
    report_after: Report | None = None
    useless: Mapping[str, str] = field(default_factory=dict)
    cost: float = 0.0
    seconds: float = 0.0

    @property
    def fit(self) -> Fit:
        """The loop that goes with the cured parts: fit(parts, log)."""
        return self.experiment.fit or own_fit

    def parts(self, seed: int = SEED) -> Parts:
        """Freshly built parts with the fix in them; without a fix, the original ones."""
        return built(self.experiment, seed)

    @property
    def proven(self) -> tuple[str, ...]:
        """Names of the findings whose remedy, and nothing else, made the difference in a race that was won; of symptoms
        only where the remedy was for no cause."""
        kept = {r.fix for r in self.fix}
        won = [r for r in self.races if r.proven and len(r.changed) == 1 and r.changed[0].fix in kept]
        causes = {f.name for f in (*self.report, *self.uncovered) if f.kind == "cause"}
        names = (n for r in won for n in ([c for c in r.causes if c in causes] or r.causes))
        return tuple(dict.fromkeys(names))

    @property
    def code(self) -> str:
        """The fix as the lines a person would write."""
        return lines_of(self.fix)

    @cached_property
    def patch(self) -> dict[str, Any]:
        """{"optimizer.lr": 0.01}: what of the fix the recipe can say; empty where there is no recipe."""
        return patch_of(self.original, self.fix)

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe with the fix in it; None where the experiment came from none."""
        return None if self.original.recipe is None else Recipe.from_dict(self.original.recipe).patched(self.patch)

    @property
    def diff(self) -> str:
        """What changed in the recipe, as a unified diff; "" where there is none."""
        if self.recipe is None or self.original.recipe is None:
            return ""
        return Recipe.from_dict(self.original.recipe).diff(self.recipe)

    @property
    def by_hand(self) -> str:
        """Of the fix, the lines that the recipe cannot say; "" where the diff holds all of it."""
        return lines_of(unsaid(self.original, self.fix))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "verdict": self.verdict, "reason": self.reason, "fix": [plain(r) for r in self.fix], "code": self.code,
            "proven": list(self.proven), "patch": self.patch, "diff": self.diff, "by_hand": self.by_hand,
            "before": self.before.to_dict(), "after": self.after.to_dict(),
            "races": [r.to_dict() for r in self.races], "useless": dict(self.useless),
            "report_after": self.report_after.to_dict() if self.report_after else None,
            "uncovered": [f.to_dict() for f in self.uncovered],
            "cost": round(self.cost, 3), "seconds": round(self.seconds, 3), "report": self.report.to_dict(),
        }  # fmt: skip

    def to_json(self, indent: int | None = 2) -> str:
        """As JSON text; numbers that JSON has no word for (NaN, infinity) become strings."""
        return json.dumps(jsonable(self.to_dict()), indent=indent, ensure_ascii=False, allow_nan=False)

    def show(self, file: TextIO | None = None) -> None:
        """Print findings, races and the fix, to `file` (default: standard output)."""
        from torchdoctor.show.proof import print_cure  # upward and late: a convenience, see docs/why.md

        print_cure(self, file)

    def html(self, path: str | Path) -> Path:
        """Write one self-contained HTML page and return its path."""
        from torchdoctor.show.html import write_cure  # upward and late: a convenience, see docs/why.md

        return write_cure(self, Path(path))


def cure(
    experiment: Experiment,
    *,
    budget: str | float = "3x",
    seeds: int = 3,
    report_progress: ReportProgress | None = None,
) -> Cure:
    """Find what keeps an experiment from learning, prove it by races, and return what cures it.

    budget: "3x" (training runs on top of the first, unchanged one), "10min" or "20 trials". seeds: of each race.
    report_progress: called with a Progress whenever something begins or an epoch has ended.

    Nothing of the user's is changed, and random numbers are afterwards where they were. Ctrl-C ends it early: what was
    proven by then is returned. Raises BadParts when the experiment cannot be examined or trained at all.
    """
    if not isinstance(experiment, Experiment):
        raise BadParts(
            f"cure needs an Experiment, not {type(experiment).__name__}: td.cure(td.Experiment(build, epochs=20)), or "
            "td.cure(td.Recipe.load(path).experiment())."
        )
    if not isinstance(seeds, int) or seeds < 1:
        raise BadParts(f"seeds = {seeds}: a race needs at least one, and two for an interval.")
    track = Track(experiment, Budget.parse(budget), seeds, report_progress)
    numbers = random_state()
    try:
        return _cured(track)
    finally:
        set_random_state(numbers)


def _cured(track: Track) -> Cure:
    trace = _examined(track)
    first = track.first_run()
    report = _judged(track.experiment, trace, first)
    done = without_search(report, first, track.ruler)
    if done is not None:
        return _result(track, report, first, None, *done)
    interrupted = False
    search = Search(Meeting(track), lambda given, share: _second_look(track, given, share))
    try:
        search.found = candidates(report, track.experiment)
        search.run()
    except KeyboardInterrupt:
        interrupted = True
    return _result(track, report, first, search, *after_search(report, search, interrupted))


def _examined(track: Track) -> Trace:
    track.tell("examine", "probes", "small experiments on copies, before anything is trained")
    parts = built(track.experiment, SEED)
    return examine(parts, budget=FIRST_LOOK, seed=SEED)


def _second_look(track: Track, given: Sequence[Remedy], share: float) -> Report:
    """What the rules say of the experiment with these remedies: faults that others hid come to light."""
    track.tell(track.stage, names_of(given), "a second look: what did the first faults hide?")
    parts = built(track.experiment_with(given), SEED)
    return _judged(track.experiment, examine(parts, budget=SECOND_LOOK, seed=SEED), track.run(given, SEED, share))


def _judged(experiment: Experiment, probed: Trace, first: Outcome) -> Report:
    trace = probed.merged(first.trace) if first.trace is not None else probed
    return with_reasons(judge(trace, title=experiment.name), trace)


def _result(track: Track, report: Report, first: Outcome, search: Search | None, verdict: Verdict, reason: str) -> Cure:
    fix = remedies_of(search.kept) if search is not None and verdict == "cured" else ()
    final = search.final if search is not None else None
    if first.error and first.error != INTERRUPTED:
        reason = f"{reason} The unchanged run ended with {first.error}."
    return Cure(
        report=report,
        races=tuple(search.meeting.races) if search else (),
        verdict=verdict,
        reason=reason,
        fix=fix,
        before=Scores(final.without if final is not None and fix else {SEED: first.score}),
        after=Scores(final.with_it if final is not None and fix else {}),
        experiment=track.experiment_with(fix),
        original=track.experiment,
        uncovered=search.uncovered if search is not None else (),
        report_after=search.report_after if search is not None and fix else None,
        useless=search.found.useless if search is not None else {},
        cost=track.purse.runs,
        seconds=track.purse.elapsed,
    )
