"""What a cure hands over: the findings, the races, the verdict, the fix in every form, and parts with the fix in them.

May not: train, judge, print by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from torchdoctor.cures.arm import built
from torchdoctor.cures.race import Race, plain
from torchdoctor.cures.remedies import lines_of, patch_of, unsaid
from torchdoctor.cures.source import InSource
from torchdoctor.cures.track import SEED
from torchdoctor.cures.unproven import Open, unproven
from torchdoctor.cures.verdict import Verdict
from torchdoctor.experiment import Experiment, Fit
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.report import Report, jsonable
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.loop import fit as own_fit


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
    experiment: with the fix; original: without. interrupted: by Ctrl-C; what was proven until then counts.
    source: the fix in the user's own files. useless: {finding: why its remedies cannot be used here}.
    cost: training runs, the first one not counted.
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
    interrupted: bool = False
    uncovered: tuple[Finding, ...] = ()
    report_after: Report | None = None
    useless: Mapping[str, str] = field(default_factory=dict)
    cost: float = 0.0
    seconds: float = 0.0
    source: InSource = field(default_factory=InSource)

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
    def unproven(self) -> tuple[Open, ...]:
        """What is left open: what was found and not proven, why not, and what to look at next."""
        return unproven(self)

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
        """Of the fix, the lines that neither the recipe nor a patch can say; "" where the diffs hold all of it."""
        return lines_of([r for r in unsaid(self.original, self.fix) if r.fix not in self.source.said])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "verdict": self.verdict, "reason": self.reason, "interrupted": self.interrupted,
            "fix": [plain(r) for r in self.fix], "code": self.code,
            "proven": list(self.proven), "unproven": [o.to_dict() for o in self.unproven],
            "patch": self.patch, "diff": self.diff, "by_hand": self.by_hand,
            "source_diff": self.source.diff, "places": dict(self.source.places),
            "before": self.before.to_dict(), "after": self.after.to_dict(),
            "races": [r.to_dict() for r in self.races], "useless": dict(self.useless),
            "report_after": self.report_after.to_dict() if self.report_after else None,
            "uncovered": [f.to_dict() for f in self.uncovered],
            "cost": round(self.cost, 3), "seconds": round(self.seconds, 3), "report": self.report.to_dict(),
        }  # fmt: skip

    def to_json(self, indent: int | None = 2) -> str:
        """As JSON text; numbers that JSON has no word for (NaN, infinity) become strings."""
        return json.dumps(jsonable(self.to_dict()), indent=indent, ensure_ascii=False, allow_nan=False)

    def show(self, file: TextIO | None = None, lang: str = "en") -> None:
        """Print findings, races and the fix, to `file` (default: standard output). lang: en or zh."""
        from torchdoctor.show.proof import print_cure  # upward and late: a convenience, see docs/why.md

        print_cure(self, file, lang)

    def html(self, path: str | Path, lang: str = "en") -> Path:
        """Write one self-contained HTML page and return its path. lang: en or zh."""
        from torchdoctor.show.html import write_cure  # upward and late: a convenience, see docs/why.md

        return write_cure(self, Path(path), lang)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from torchdoctor.show.notebook import cure_html  # upward and late: a convenience, see docs/why.md

        return cure_html(self)

    def to_frame(self) -> Any:
        """A pandas.DataFrame with a row for each race. Needs the extra `tables`."""
        from torchdoctor.show.frames import cure_frame  # upward and late: a convenience, see docs/why.md

        return cure_frame(self)
