"""Which remedies are kept: a short try of all together, paired races to prove each, a whole run to confirm.

Causes mask each other: with two faults, each remedy alone may do nothing. So all remedies are tried together, and what
each is worth is seen by leaving it out of the full set, the least likely first. Where it is not missed it is dropped,
and the next is left out of what remains: of two that do the same, the more likely one stays and is proven. Forward
selection would be dearer, and would miss pairs; remedies are raced one by one (successive halving, then forward) only
where all together do not win.

Causes hide each other from rules, too: under a saturated softmax no learning rate looks right. So the first try, a
quarter of a run on one seed, is watched and judged again, and what comes to light joins the remedies before any
money goes into races. A run's score after each epoch is known, so that a long run is worth all shorter ones.

May not: judge, print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torchdoctor.cures.candidates import Candidate, Candidates, candidates, joined
from torchdoctor.cures.effect import Effect
from torchdoctor.cures.meeting import TRY, Chosen, Meeting, remedies_of
from torchdoctor.cures.race import Race
from torchdoctor.cures.track import SEED, Track
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.report import Report

LOOKS = 2  # how often one looks again for what the faults before it hid
BEYOND = 1.5  # how far past the step where the unchanged run broke a race goes, as a multiple of that step


@dataclass
class Search:
    """The state of a search, filled as it goes, so that an interruption leaves what was proven.

    look: what the rules say of the experiment with some remedies, by its run of that share. kept: the cure so far.
    won: it against the unchanged experiment, on several seeds. final: the same at full length, and report_after what is
    found there. uncovered: what came to light once the first remedies were in place. notes: what could not be done.
    """

    meeting: Meeting
    look: Callable[[Sequence[Remedy], float], Report]
    found: Candidates = field(default_factory=lambda: Candidates(()))
    kept: Chosen = ()
    won: Race | None = None
    final: Race | None = None
    report_after: Report | None = None
    uncovered: tuple[Finding, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def track(self) -> Track:
        return self.meeting.track

    def run(self) -> None:
        """All of it, as far as the budget goes."""
        quick = tuple(c for c in self.found.chosen if not c.full_length)
        slow = tuple(c for c in self.found.chosen if c.full_length)
        if quick:
            self._race_quick(quick)
        if self.kept:
            self._confirm()
            slow = self._left_at_the_end()
        for candidate in slow:
            self._at_full_length(candidate)

    def _race_quick(self, chosen: Chosen) -> None:
        share = min(1.0, max(TRY, BEYOND * self.track.broken_from()))
        chosen = self._tried(chosen, share)
        self._all_together(chosen, share)
        if self.kept:
            self._leave_out()
        else:
            self._one_by_one([*chosen, *(c for c in self.found.reserve if not c.full_length)])
        if not self.kept:
            self._last_attempt(chosen)

    def _keep(self, chosen: Chosen, ran: Race | None) -> bool:
        """The cure so far, if the race was won."""
        if ran is None or not ran.proven:
            return False
        self.kept, self.won = chosen, ran
        return True

    # -- one seed -----------------------------------------------------------------------------------------------------

    def _tried(self, chosen: Chosen, share: float) -> Chosen:
        """The chosen with what is found once they are in place, if that is better still."""
        for _ in range(LOOKS):
            if not self.meeting.can_pay([chosen], share, [SEED]):
                break
            report = self.look(remedies_of(chosen), share)
            new = candidates(report, self.track.experiment, remedies_of(chosen)).chosen
            more = joined(chosen, [c for c in new if not c.full_length])
            if more == chosen or not self.meeting.can_pay([more], share, [SEED]):
                break
            if self._first_score(more, share) <= self._first_score(chosen, share):
                break
            chosen = more
            self.uncovered += _new_in(report, chosen, self.uncovered)
        return chosen

    def _share(self, chosen: Chosen) -> float:
        """As long as can be paid; less where the first seed shows half of the gap of the first try much earlier."""
        longest = self.meeting.longest(2 + (len(chosen) if len(chosen) > 1 else 0), len(self.track.seeds))
        share = max(longest / 2, self.meeting.shortest)
        while share < longest and not self._is_clear(chosen, share):
            share *= 1.25
        return min(longest, share)

    def _is_clear(self, chosen: Chosen, share: float) -> bool:
        """Only by what is known from the first try: looking must cost nothing."""
        arms = [remedies_of(chosen), ()]
        if any(self.track.price(arms, [SEED], s)[1] for s in (share, TRY)):
            return False
        return self._gap(chosen, share) >= 0.5 * self._gap(chosen, TRY) > 0

    def _gap(self, chosen: Chosen, share: float) -> float:
        """How much better than the unchanged run on the first seed; a gap that says nothing counts as none."""
        gap = self._first_score(chosen, share) - self._first_score((), share)
        return gap if gap > max(4 * self.track.ruler.matters, 2 * self.track.ruler.blur(gap)) else 0.0

    def _first_score(self, chosen: Chosen, share: float) -> float:
        return self.track.ruler.fair(self.track.run(remedies_of(chosen), SEED, share).score)

    # -- short races --------------------------------------------------------------------------------------------------

    def _all_together(self, chosen: Chosen, share: float) -> None:
        """On more seeds, or for longer, where it was better but not beyond doubt."""
        why = "all remedies together, since faults hide one another" if len(chosen) > 1 else "does it help?"
        share = self._share(chosen) if share <= TRY else share
        seeds, race = self.track.seeds, self.meeting.race
        while True:
            ran = race(chosen, (), share, why, seeds=seeds) or race(chosen, (), share, why, seeds=seeds, reserve=0.0)
            if ran is None or self._keep(chosen, ran) or ran.effect.mean <= self.track.ruler.matters:
                return
            if _is_close(ran.effect) and len(seeds) == len(self.track.seeds):
                seeds, why = self.track.more_seeds, "better, but not beyond doubt: more seeds"
            elif share < 1:
                share, why = min(1.0, 2 * share), "better, but not beyond doubt: the same for longer"
            else:
                return

    def _leave_out(self) -> None:
        """Each remedy once, from the least likely. If what is left does not win, all are kept: together they did."""
        assert self.won is not None
        left, share = self.kept, self.won.share
        for candidate in self.kept[::-1]:
            rest = tuple(c for c in left if c is not candidate)
            if not rest:
                break  # it was raced against the unchanged network, or is below
            missed = self.meeting.race(left, rest, share, f"is {candidate.remedy.fix} missed where the others are?")
            if missed is None:
                self.notes.append(f"the budget did not allow a race without {candidate.remedy.fix}")
            elif not missed.proven and missed.effect.mean < self.track.ruler.matters:
                left = rest
        if len(left) < len(self.kept):
            self._keep(left, self.meeting.race(left, (), share, "what is left, against the unchanged network"))

    def _one_by_one(self, left: list[Candidate]) -> None:
        """Halve the field after each seed; then the best on all seeds; then what adds to it."""
        if len(left) < 2:
            return
        share = self.meeting.longest(2 * len(left) + 2, 1)
        for seed in self.track.seeds:
            if len(left) == 1 or not self.meeting.can_pay([(), *((c,) for c in left)], share, [seed]):
                break
            ran = [self.meeting.record((c,), (), share, "one remedy at a time", [seed]) for c in left]
            order = sorted(range(len(left)), key=lambda i: -self.track.ruler.fair(ran[i].with_it[seed]))
            left = [left[i] for i in order[: (len(left) + 1) // 2]]
        best = (left[0],)
        if not self._keep(best, self.meeting.race(best, (), share, "the best of the single remedies, on more seeds")):
            return
        for candidate in (c for c in self.found.chosen if c not in best and not c.full_length):
            more = (*self.kept, candidate)
            added = self.meeting.race(more, self.kept, share, f"does {candidate.remedy.fix} add to it?")
            if added is not None and added.proven:
                self._keep(more, self.meeting.race(more, (), share, "both, against the unchanged network"))

    def _last_attempt(self, chosen: Chosen) -> None:
        """All together for as long as what is left can pay for; what helps late has not been seen yet."""
        longest, share = max((r.share for r in self.meeting.races), default=0.0), 1.0
        while share > BEYOND * longest:
            ran = self.meeting.race(chosen, (), share, "what helps late: as long as can be paid", reserve=0.0)
            if ran is not None:
                self._keep(chosen, ran)
                return
            share *= 0.8
        self.meeting.race(chosen, (), 1.0, "no proof on so few seeds, but something to go by", fewest=1)

    # -- whole runs ---------------------------------------------------------------------------------------------------

    def _confirm(self) -> None:
        """On as many seeds as can be paid; the unchanged network's first whole run is there already."""
        if self.won is not None and self.won.share >= 1:
            self.final = self.won
            return
        self.final = self.meeting.race(self.kept, (), 1.0, "at full length: is it better in the end?", fewest=1)
        if self.final is None:
            self.notes.append("the budget did not allow a run of full length")

    def _left_at_the_end(self) -> Chosen:
        """What is still found after the whole run with what is kept, and shows in whole runs."""
        if self.final is None:
            return ()
        self.report_after = self.look(remedies_of(self.kept), 1.0)
        found = candidates(self.report_after, self.track.experiment, remedies_of(self.kept)).chosen
        return tuple(c for c in found if c.full_length)

    def _at_full_length(self, candidate: Candidate) -> None:
        """What shows at the end of a whole run only; where its full dose cannot be paid on two seeds, a smaller one."""
        for dose in candidate.doses:
            more = (*self.kept, dose)
            ran = self.meeting.race(more, self.kept, 1.0, "it shows at the end of a whole run only")
            if ran is None:
                continue
            if ran.proven:
                whole = self.meeting.race(more, (), 1.0, "together", fewest=1) if self.kept else ran
                self.kept, self.won, self.final = more, ran, whole
            return
        self.notes.append(f"the budget did not allow whole runs with {candidate.remedy.fix} on two seeds")


def _new_in(report: Report, chosen: Chosen, known: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a second look that a remedy was taken up for."""
    names = {name for c in chosen for name in c.causes} - {f.name for f in known}
    return tuple(f for f in report if f.name in names)


def _is_close(effect: Effect) -> bool:
    """Whether two more seeds may decide it: of three they halve the interval, and cost less than a longer race."""
    return math.isfinite(effect.low) and effect.high - effect.mean < 2 * effect.mean
