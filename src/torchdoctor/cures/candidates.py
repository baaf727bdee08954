"""From findings to what is worth trying: one remedy for each cause, the others in reserve.

May not: train, judge, print.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from torchdoctor.cures.remedies import key_of, why_not
from torchdoctor.experiment import Experiment
from torchdoctor.fixes.fix import code_of, resolve
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.report import Report

LEAST = 1.2  # times as long a run; what less would bring is hard to tell from noise
MOST = 5  # causes that are raced; each costs one more arm, and a report that names more is guessing


@dataclass(frozen=True)
class Candidate:
    """A remedy, the findings it is for (the most likely first), and what else might help against them.

    tuning: it sets a hyper-parameter, and how much of it is right depends on all that is not tuning.
    """

    remedy: Remedy
    causes: tuple[str, ...]
    others: tuple[Remedy, ...] = ()
    tuning: bool = False

    @property
    def full_length(self) -> bool:
        """Whether its effect shows at the end of a whole run only."""
        return resolve(self.remedy).full_length

    @property
    def quicker(self) -> Candidate | None:
        """For the same causes, what else is offered and shows in a short run; None where nothing is."""
        other = next((r for r in self.others if not resolve(r).full_length), None)
        if other is None:
            return None
        return replace(self, remedy=other, others=(), tuning=set(other.options) == {"factor"})

    def dose(self, most: float) -> Candidate | None:
        """Where training longer is the remedy, no longer than `most` runs; None where that is too little to be seen."""
        factor = self.remedy.options.get("factor")
        if factor is None or factor <= 1 or resolve(self.remedy).epochs is None:
            return self
        paid = math.floor(10 * min(float(factor), most) + 1e-6) / 10
        return None if paid < LEAST else replace(self, remedy=Remedy(self.remedy.fix, {"factor": paid}))


@dataclass(frozen=True)
class Candidates:
    """chosen: to be tried together, in the order of the report. reserve: what else may help, to be tried one by one.

    useless: {finding: why none of its remedies can be used here}.
    """

    chosen: tuple[Candidate, ...]
    reserve: tuple[Candidate, ...] = ()
    useless: Mapping[str, str] = field(default_factory=dict)


def alarms(report: Report) -> tuple[Finding, ...]:
    """What a cure is for: findings above info on how the network learns. How fast it runs no score can show."""
    return tuple(f for f in report if f.alarm and f.place not in ("speed", "inference"))


def candidates(report: Report, experiment: Experiment, given: Sequence[Remedy] = ()) -> Candidates:
    """From the causes; from the symptoms only where no cause has a remedy. In reserve: the other remedies of the
    causes, then those of the symptoms, then those of mere hints. given: what they come on top of."""
    found = alarms(report)
    causes = [f for f in found if f.kind == "cause" and f.fixes]
    first = causes or [f for f in found if f.fixes]
    chosen, useless = _together(first[:MOST], experiment, given)
    later = [f for f in (*found, *report) if f.fixes and f not in first]
    reserve = [Candidate(r, c.causes) for c in chosen for r in c.others]
    reserve += [Candidate(f.fixes[0], (f.name,)) for f in later]
    taken = {key_of([c.remedy]) for c in chosen}
    kept = list({key_of([c.remedy]): c for c in reversed(reserve)}.values())[::-1]
    usable = (c for c in kept if key_of([c.remedy]) not in taken and not why_not(experiment, [*given, c.remedy]))
    return Candidates(chosen, tuple(islice(usable, MOST)), useless)


def _together(
    findings: Sequence[Finding], experiment: Experiment, given: Sequence[Remedy]
) -> tuple[tuple[Candidate, ...], dict[str, str]]:
    """For each finding its first remedy that can be used on top of those before it; all are tried on one batch."""
    chosen: list[Candidate] = []
    useless: dict[str, str] = {}
    for finding in findings:
        taken = next((i for i, c in enumerate(chosen) for r in finding.fixes if _alike(r, c.remedy)), None)
        if taken is not None:  # two findings, one remedy
            chosen[taken] = _merged(chosen[taken], finding)
            continue
        if (rival := _undone_by(chosen, finding.fixes[0])) is not None:
            chosen[rival] = _with_others(chosen[rival], finding.fixes)
            continue
        whys = {}
        for remedy in finding.fixes:
            if not (why := why_not(experiment, [*given, *(c.remedy for c in chosen), remedy])):
                others = tuple(r for r in finding.fixes if r is not remedy and r.fix not in whys)
                chosen.append(Candidate(remedy, (finding.name,), others, finding.place == "hyperparameters"))
                break
            whys[remedy.fix] = f"{why} The code: {code_of(remedy)}"
        else:
            useless[finding.name] = " ".join(f"{fix} cannot be used here: {why}" for fix, why in whys.items())
    return tuple(chosen), useless


def dosed(chosen: Sequence[Candidate], step: float) -> tuple[Candidate, ...]:
    """With `step` times as much of what is tuned by a factor, in the factor's own direction; the same where nothing is,
    or where that would be no change at all."""
    at = next((i for i, c in enumerate(chosen) if is_dose(c)), None)
    if at is None:
        return tuple(chosen)
    old, before = chosen[at], factor_of(chosen)
    factor = float(f"{before * (step if before > 1 else 1 / step):.6g}")
    if factor == 1:
        return tuple(chosen)
    return (*chosen[:at], replace(old, remedy=Remedy(old.remedy.fix, {"factor": factor})), *chosen[at + 1 :])


def factor_of(chosen: Sequence[Candidate]) -> float:
    """The factor of what is tuned by one; 1 where nothing is."""
    return next((float(c.remedy.options["factor"]) for c in chosen if is_dose(c)), 1.0)


def is_dose(candidate: Candidate) -> bool:
    """Whether it is tuned by a factor."""
    return candidate.tuning and set(candidate.remedy.options) == {"factor"}


def joined(chosen: Sequence[Candidate], new: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Both, where two factors of the same fix become their product. What is cured by it is then what the product is
    for: of a rate divided by ten and then multiplied by a hundred, that it was low."""
    result = list(chosen)
    for candidate in new:
        if (rival := _undone_by(result, candidate.remedy)) is not None:
            result[rival] = _with_others(result[rival], (candidate.remedy,))
            continue
        at = next((i for i, c in enumerate(result) if _can_multiply(c.remedy, candidate.remedy)), None)
        if at is None:
            result.append(candidate)
        else:
            result[at : at + 1] = _multiplied(result[at], candidate)
    return tuple(result)


def _can_multiply(a: Remedy, b: Remedy) -> bool:
    return a.fix == b.fix and set(a.options) == set(b.options) == {"factor"}


def _multiplied(old: Candidate, new: Candidate) -> list[Candidate]:
    before, factor = float(old.remedy.options["factor"]), float(new.remedy.options["factor"])
    product = float(f"{before * factor:.6g}")
    if product == 1:
        return []
    causes = old.causes if (before > 1) == (product > 1) else ()
    causes += new.causes if (factor > 1) == (product > 1) else ()
    return [replace(old, remedy=Remedy(old.remedy.fix, {"factor": product}), causes=tuple(dict.fromkeys(causes)))]


def _merged(candidate: Candidate, finding: Finding) -> Candidate:
    others = tuple(r for r in finding.fixes if not _alike(r, candidate.remedy))
    return replace(candidate, causes=(*candidate.causes, finding.name), others=(*candidate.others, *others))


def _undone_by(chosen: Sequence[Candidate], remedy: Remedy) -> int | None:
    """Where one is chosen that sets the same thing in another way: a rate, and an optimizer that brings its own."""
    sets = resolve(remedy).sets
    return next((i for i, c in enumerate(chosen) if sets and _sets_it_too(c.remedy, remedy.fix, sets)), None)


def _sets_it_too(chosen: Remedy, fix: str, sets: str) -> bool:
    return chosen.fix != fix and resolve(chosen).sets == sets


def _with_others(candidate: Candidate, remedies: Sequence[Remedy]) -> Candidate:
    return replace(candidate, others=(*candidate.others, *(r for r in remedies if r not in candidate.others)))


def _alike(a: Remedy, b: Remedy) -> bool:
    """The same change, or another amount of it: two learning rates cannot both be set."""
    return a.fix == b.fix
