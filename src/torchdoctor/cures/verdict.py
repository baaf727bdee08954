"""What a search amounts to: cured, not proven, refused or healthy, and the sentence that says why.

May not: train, print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torchdoctor.cures.arm import INTERRUPTED, Outcome
from torchdoctor.cures.candidates import alarms
from torchdoctor.cures.effect import Ruler
from torchdoctor.cures.hopeless import Doubts
from torchdoctor.cures.meeting import remedies_of
from torchdoctor.cures.race import Race
from torchdoctor.cures.remedies import names_of
from torchdoctor.cures.search import Search
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report

NO_DOUBTS = Doubts()
Verdict = Literal["cured", "not proven", "refused", "healthy"]


def without_search(
    report: Report, first: Outcome, ruler: Ruler, doubts: Doubts = NO_DOUBTS
) -> tuple[Verdict, str] | None:
    """Where nothing needs to be raced, or nothing can be; None where a search makes sense. doubts: causes in the data
    are believed only when nothing else can be tried, since a small model does not see all that a network might."""
    found = alarms(report)
    if first.error == INTERRUPTED:
        return "not proven", "It was interrupted before anything could be raced."
    if not found and math.isnan(first.score):
        return "not proven", "No rule found a fault, and the run could not be scored."
    if not found and ruler.is_chance(first.score):
        return "not proven", (
            f"No rule found a fault, but a score of {first.score:.3f} is no better than one and the same answer for "
            f"every sample ({ruler.chance:.3f}). Look at the labels, and whether the inputs can tell them."
        )
    if not found:
        return "healthy", "No finding above info, so nothing is changed."
    causes = [f for f in found if f.kind == "cause"]
    tried = [f for f in found if f.fixes and (f.kind == "cause" or _all_doubted(causes, doubts))]
    if causes and not tried:
        said = f" {doubts.said}" if doubts.said else ""
        return "refused", f"No change of settings helps against {_and(causes)}: {causes[0].message}{said}"
    if not any(f.fixes for f in found):
        return "not proven", f"Nothing that could be tried is known against {_and(found)}."
    return None


def after_search(report: Report, search: Search, interrupted: bool, doubts: Doubts = NO_DOUBTS) -> tuple[Verdict, str]:
    """What was proven. A cure must win its short races, and be better at full length as well: what nobody has seen at
    the end of a whole run is told, and not handed over."""
    notes = "".join(f" {note[0].upper()}{note[1:]}." for note in dict.fromkeys(search.notes))
    if interrupted:
        notes = f" It was interrupted.{notes}"
    if search.won is not None and search.kept:
        name = names_of(remedies_of(search.kept))
        if search.final is None:
            return "not proven", (
                f"{name} helps at first ({_said(search.won)}), but no run of full length has confirmed it, and what is "
                f"faster at first may be worse in the end.{notes}"
            )
        if search.confirmed:
            short = f", {_said(search.won)}" if search.won is not search.final else ""
            return "cured", f"{name}: {_said(search.final)}{short}.{notes}"
        return (
            "not proven",
            f"{name} helps at first ({_said(search.won)}) but not in the end ({_said(search.final)}).{notes}",
        )
    hopeless = [f for f in alarms(report) if f.kind == "cause" and not f.fixes]
    if hopeless and not interrupted:
        why = " ".join((hopeless[0].message, *([doubts.said] if doubts.said else [])))
        return "refused", f"Nothing that was tried helps, and nothing can help against {_and(hopeless)}: {why}"
    races = search.meeting.races
    if not races:
        whys = " ".join(search.found.useless.values())
        return "not proven", (whys or "The budget did not allow a race.") + notes
    best = max(races, key=lambda r: r.effect.mean)
    return (
        "not proven",
        f"None of {len(races)} races was won beyond doubt; the best was {best.name}, {_said(best)}.{notes}",
    )


def _all_doubted(causes: Sequence[Finding], doubts: Doubts) -> bool:
    names = {f.name for f in doubts.causes}
    return all(f.name in names for f in causes)


def _said(race: Race) -> str:
    effect = race.effect
    interval = f" [{effect.low:+.3f}, {effect.high:+.3f}]" if effect.seeds > 1 else ""
    length = "whole runs" if race.share >= 1 else f"{race.share:.0%} of a run"
    seeds = f"{effect.seeds} seed{'s' if effect.seeds != 1 else ''}"
    return f"{effect.mean:+.3f}{interval} in {length} on {seeds}"


def _and(findings: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(f.name for f in findings))
