"""Which remedies are kept, by paired races on several seeds: all together, each left out, what else adds to them.

Causes mask each other: with two faults, each remedy alone may do nothing. So all remedies are raced together, and what
each is worth is seen by leaving it out of the full set, the least likely first. Where it is not missed it is dropped,
and the next is left out of what remains: of two that do the same, the more likely one stays and is proven. Forward
selection from nothing would be dearer, and would miss pairs; remedies are raced one by one (successive halving, then
forward) only where all together do not win. What is kept is the ground for more: remedies in reserve are tried on top.

May not: judge, print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from torchdoctor.cures.candidates import Candidate, Candidates
from torchdoctor.cures.effect import Effect
from torchdoctor.cures.meeting import PAIRS, WHOLE, Chosen, Meeting
from torchdoctor.cures.race import Race
from torchdoctor.cures.screening import TRY, Screening
from torchdoctor.cures.track import Track

BEYOND = 1.5  # how much longer a race must be than those before it to be worth another attempt


@dataclass
class Proving:
    """kept: the cure so far. won: it against the unchanged experiment, on several seeds. notes: what could not be
    done."""

    meeting: Meeting
    screening: Screening
    kept: Chosen = ()
    won: Race | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def track(self) -> Track:
        return self.meeting.track

    def run(self, chosen: Chosen, found: Candidates, share: float) -> None:
        """All of it: the chosen, and where they win or lose what else there is. share: of a run that a race takes."""
        reserve = [c for c in found.reserve if not c.full_length]
        self._all_together(chosen, share)
        if self.kept:
            self._leave_out(self.kept)
            self._add(reserve)
        else:
            self._one_by_one([*chosen, *reserve], found)
        if not self.kept:
            self._last_attempt(chosen)

    def keep(self, chosen: Chosen, ran: Race | None) -> bool:
        """The cure so far, if the race was won."""
        if ran is None or not ran.proven:
            return False
        self.kept, self.won = chosen, ran
        return True

    def spend_the_rest(self) -> None:
        """On remedies that are kept but not yet proven: more seeds, while the whole run needs no keeping back for."""
        if self.won is None or self.won.share >= 1:
            return
        for candidate in self.kept if len(self.kept) > 1 else ():
            if not any(r.proven and r.changed == (candidate.remedy,) for r in self.meeting.races):
                rest = tuple(c for c in self.kept if c is not candidate)
                why = f"more seeds: is {candidate.remedy.fix} missed?"
                self.meeting.race(
                    self.kept, rest, self.won.share, why, seeds=self.track.more_seeds, reserve=0.0,
                    fewest=len(self.track.seeds) + 1,
                )  # fmt: skip

    def _all_together(self, chosen: Chosen, share: float) -> None:
        """On more seeds, or for longer, where it was better but not beyond doubt."""
        why = "all remedies together, since faults hide one another" if len(chosen) > 1 else "does it help?"
        ran = self._at_any_price(chosen, share, why)
        while ran is not None and not self.keep(chosen, ran) and ran.effect.mean > self.track.ruler.matters:
            more = None
            if _is_close(ran.effect) and ran.effect.seeds == len(self.track.seeds):
                why = "better, but not beyond doubt: more seeds"
                more = self._at_any_price(chosen, ran.share, why, self.track.more_seeds, ran.effect.seeds + 1)
            if more is None and ran.share < 1:
                why = "better, but not beyond doubt: the same for longer"
                more = self._at_any_price(chosen, min(1.0, 2 * ran.share), why)
            ran = more

    def _at_any_price(
        self, chosen: Chosen, share: float, why: str, seeds: Sequence[int] = (), fewest: int = PAIRS
    ) -> Race | None:
        """Against the unchanged network; if there is no other way, with what was kept back for the whole run."""
        for reserve in (WHOLE, 0.0):
            ran = self.meeting.race(chosen, (), share, why, seeds=seeds, reserve=reserve, fewest=fewest)
            if ran is not None:
                return ran
        return None

    def _leave_out(self, together: Chosen) -> None:
        """Each remedy once, from the least likely. If what is left does not win, all are kept: together they did."""
        assert self.won is not None
        left, share = together, self.won.share
        for candidate in together[::-1]:
            rest = tuple(c for c in left if c is not candidate)
            if not rest:
                break  # it was raced against the unchanged network, or is below
            missed = self.meeting.race(left, rest, share, f"is {candidate.remedy.fix} missed where the others are?")
            if missed is None:
                self.notes.append(f"the budget did not allow a race without {candidate.remedy.fix}")
            elif not missed.proven and missed.effect.mean <= self.track.ruler.matters:
                left = rest
        if len(left) < len(together):
            self.keep(left, self.meeting.race(left, (), share, "what is left, against the unchanged network"))

    def _add(self, reserve: Sequence[Candidate]) -> None:
        """What adds to the cure: seen on one seed first, then in a race beside it, then against the unchanged network.
        A cure that has grown is asked once more what of it is missed: the newcomer may do an older one's work."""
        assert self.won is not None
        share, before = self.won.share, self.kept
        for candidate in reserve:
            more = (*self.kept, candidate)
            if self._is_in(candidate) or not self.screening.helps(more, share, beside=self.kept):
                continue
            added = self.meeting.race(more, self.kept, share, f"does {candidate.remedy.fix} add to it?")
            if added is not None and added.proven:
                self.keep(more, self.meeting.race(more, (), share, "with it, against the unchanged network"))
        if len(self.kept) > len(before) > 1:
            self._leave_out(self.kept)

    def _is_in(self, candidate: Candidate) -> bool:
        """Whether the cure holds another amount of the same already."""
        return any(c.remedy.fix == candidate.remedy.fix for c in self.kept)

    def _one_by_one(self, left: list[Candidate], found: Candidates) -> None:
        """Halve the field after each seed; then the best on all seeds; then what adds to it."""
        if len(left) < 2:
            return
        share = self.meeting.longest([(), *((c,) for c in left)], self.track.seeds[:PAIRS])
        for seed in self.track.seeds:
            if len(left) == 1 or not self.meeting.can_pay([(), *((c,) for c in left)], share, [seed]):
                break
            self.track.ahead([(), *((c.remedy,) for c in left)], [seed], share)
            ran = [self.meeting.record((c,), (), share, "one remedy at a time", [seed]) for c in left]
            order = sorted(range(len(left)), key=lambda i: -self.track.ruler.fair(ran[i].with_it[seed]))
            left = [left[i] for i in order[: (len(left) + 1) // 2]]
        best = (left[0],)
        if self.keep(best, self.meeting.race(best, (), share, "the best of the single remedies, on more seeds")):
            self._add([c for c in found.chosen if c not in best and not c.full_length])

    def _last_attempt(self, chosen: Chosen) -> None:
        """All together for as long as what is left can pay for; what helps late has not been seen yet. With a whole run
        kept back to confirm it; where that is too short, without, to have something to go by."""
        beyond = max((BEYOND * r.share for r in self.meeting.races), default=TRY)
        for reserve in (WHOLE, 0.0):
            share = 1.0
            while share > beyond:
                ran = self.meeting.race(chosen, (), share, "what helps late: as long as can be paid", reserve=reserve)
                if ran is not None:
                    self.keep(chosen, ran)
                    return
                share *= 0.8
        self.meeting.race(chosen, (), 1.0, "no proof on so few seeds, but something to go by", fewest=1)


def _is_close(effect: Effect) -> bool:
    """Whether two more seeds may decide it: of three they halve the interval, and cost less than a longer race."""
    return math.isfinite(effect.low) and effect.high - effect.mean < 2 * effect.mean
