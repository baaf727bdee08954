"""What a cure leaves open: what was found and not proven, why not, and what a person should look at next.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.cures.candidates import alarms
from torchdoctor.cures.effect import Effect
from torchdoctor.cures.race import Race
from torchdoctor.judge.finding import Finding

if TYPE_CHECKING:
    from torchdoctor.cures.result import Cure

MORE = "Allow more: a larger budget goes on from here, with resume."


@dataclass(frozen=True)
class Open:
    """what: the finding's name, or what was not done. why: what stood in the way. look: what to look at next."""

    what: str
    why: str
    look: str

    def to_dict(self) -> dict[str, str]:
        """Plain values."""
        return {"what": self.what, "why": self.why, "look": self.look}


def unproven(cure: Cure) -> tuple[Open, ...]:
    """The causes without a proof, what is still found with the fix in place, and what was not run at all."""
    causes = tuple(_causes(cure))
    told = {left.what for left in causes}
    return (*causes, *(left for left in _symptoms(cure) if left.what not in told), *_undone(cure))


def _causes(cure: Cure) -> Iterator[Open]:
    known: set[str] = set(cure.proven)
    for finding in (*alarms(cure.report), *(f for f in cure.uncovered if f.alarm)):
        if finding.kind == "cause" and finding.name not in known:
            known.add(finding.name)
            yield Open(finding.name, _why(finding, cure), finding.message)


def _why(finding: Finding, cure: Cure) -> str:
    if finding.name in cure.useless:
        return cure.useless[finding.name]
    if not finding.fixes:
        return "No change of settings or of the network is known against it."
    races = [race for race in cure.races if finding.name in race.causes]
    alone = [race for race in races if len(race.changed) == 1]
    if not races:
        return f"Its remedy {finding.fixes[0].fix} was not raced: the budget went to what is more likely."
    if not alone:
        return f"Its remedy was raced together with others only ({races[0].name})."
    best = max(alone, key=_certainty)
    if best.proven and not cure.fix:
        return f"{best.name} makes {said(best.effect)} in {best.share:.0%} of a run; no whole run bears it out."
    if best.proven:  # what won is not what is handed over
        return f"{best.name} makes {said(best.effect)}, and is not needed beside what is handed over."
    if best.effect.harmful:
        return f"{best.name} makes {said(best.effect)}: here it does harm."
    return f"{best.name} makes {said(best.effect)}, which chance can make as well."


def _certainty(race: Race) -> tuple[bool, float]:
    return race.proven, race.effect.low


def _symptoms(cure: Cure) -> Iterator[Open]:
    """With a fix: what a whole run with it still shows. Without: what no cause that was found explains."""
    if cure.fix:
        left: Sequence[Finding] = alarms(cure.report_after) if cure.report_after is not None else ()
        for finding in left:
            yield Open(finding.name, "It is found in the cured run too.", finding.message)
        return
    for finding in alarms(cure.report):
        if finding.kind == "symptom" and not finding.explained_by:
            yield Open(finding.name, "No cause was found that explains it.", finding.message)


def _undone(cure: Cure) -> Iterator[Open]:
    if cure.interrupted:
        yield Open("the rest of the search", "It was interrupted.", "Go on from here, with resume.")
    if not cure.fix and (unseen := _unseen(cure.races)) is not None:
        yield Open("the end of a whole run", f"{unseen.name} won a race of {unseen.share:.0%} of a run, and none of a "
                   "whole one was run, so it is not handed over.", MORE)  # fmt: skip
    elif cure.fix and len(cure.after.by_seed) < 2:
        yield Open("other seeds in whole runs", "The budget allowed one whole run with the fix.", MORE)
    if cure.verdict in ("cured", "healthy") or not cure.report.not_run:
        return
    first, *others = sorted(cure.report.not_run)
    count = f"{len(others) + 1} rules could not run" if others else "one rule could not run"
    yield Open(count, f"{first}: {cure.report.not_run[first]}.", f"Also: {', '.join(others)}." if others else "")


def _unseen(races: Sequence[Race]) -> Race | None:
    """The last that won against the unchanged network, where none of full length was run."""
    if any(race.share >= 1 for race in races):
        return None
    return next((race for race in reversed(races) if race.proven and not race.on_top_of), None)


def said(effect: Effect) -> str:
    """+0.012 [-0.020, +0.044] on 3 seeds"""
    interval = f" [{effect.low:+.3f}, {effect.high:+.3f}]" if effect.seeds > 1 else ""
    return f"{effect.mean:+.3f}{interval} on {effect.seeds} seed{'s' if effect.seeds != 1 else ''}"
