"""Which remedies are kept: a short try of all together, paired races to prove each, a whole run to confirm.

Causes mask each other: with two faults, each remedy alone may do nothing. So all remedies are tried together, and what
each is worth is seen by leaving it out of the full set, the least likely first. Where it is not missed it is dropped,
and the next is left out of what remains: of two that do the same, the more likely one stays and is proven. Forward
selection would be dearer, and would miss pairs; remedies are raced one by one (successive halving, then forward) only
where all together do not win.

Causes hide each other from rules, too: under a saturated softmax no learning rate looks right. So the first try, a
short run on one seed, is watched and judged again, and what comes to light joins the remedies before any
money goes into races. A run's score after each epoch is known, so that a long run is worth all shorter ones.

May not: judge, print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torchdoctor.cures.candidates import Candidate, Candidates, candidates, dosed, factor_of, joined
from torchdoctor.cures.effect import Effect
from torchdoctor.cures.meeting import PAIRS, WHOLE, Chosen, Meeting, remedies_of
from torchdoctor.cures.race import Race
from torchdoctor.cures.track import SEED, Track
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.report import Report

TRY = 0.15  # share of a run that a first try takes, on one seed
WIDER = 10.0  # by which what is tuned by a factor is raised or lowered at a time
ABOUT = 0.75  # of another's gain over the unchanged network: about as good
LATE = 0.5  # share of a run; where it takes longer to see a fault, whole runs are raced, which need no confirming
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
        self._spend_the_rest()

    def _race_quick(self, chosen: Chosen) -> None:
        broken = BEYOND * self.track.broken_from()
        share = 1.0 if broken > LATE else max(TRY, broken)
        chosen = self._tried(chosen, share)
        self._all_together(chosen, share if share > TRY else self._share(chosen))
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
        """The chosen, and what comes to light beneath them. What is tuned is tuned last: a rate that suits unscaled
        inputs does not suit scaled ones, so the first look's is tried only where the second's does not help."""
        firm = tuple(c for c in chosen if not c.tuning)
        tried = self._looked_beneath(firm or chosen, share)
        if firm and firm != chosen and not self._helps(self._best(tried, share), share):
            tried += self._looked_beneath(chosen, share)
        best = self._best(tried, share)
        deepest = best if self._helps(best, share) else tried[-1]
        tuned = self._tuned(deepest, share)
        return tuned if self._helps(tuned, share) else best

    def _looked_beneath(self, chosen: Chosen, share: float) -> list[Chosen]:
        """The chosen, then with what is found once they are in place, and so on."""
        tried = [chosen]
        for _ in range(LOOKS):
            if not self._can_try(chosen, share):
                break
            report = self.look(remedies_of(chosen), share)
            new = candidates(report, self.track.experiment, remedies_of(chosen)).chosen
            more = joined(chosen, [c for c in new if not c.full_length])
            if more in tried or not self._can_try(more, share):
                break
            chosen = more
            tried.append(chosen)
            self.uncovered += _new_in(report, chosen, self.uncovered)
        return tried

    def _best(self, tried: Sequence[Chosen], share: float) -> Chosen:
        """By the first seed; the earlier, which changes less, where none is really better."""
        best = tried[0]
        for other in tried[1:]:
            if (
                self._can_try(other, share)
                and self._gain(other, share) > self._gain(best, share) + self.track.ruler.matters
            ):
                best = other
        return best

    def _tuned(self, chosen: Chosen, share: float) -> Chosen:
        """With as much of what is tuned by a factor as helps most: a rate that learns one batch by heart may still be
        too high for all of them. The other way only where nothing has helped. Of two that are about as good after a
        short run the lower rate is taken: the higher is the faster, and the first to break."""
        best = chosen
        for step in (WIDER, 1 / WIDER):
            while (dose := dosed(best, step)) != best and self._can_try(dose, share):
                gain, other = self._gain(best, share), self._gain(dose, share)
                if other < gain * (ABOUT if factor_of(dose) < factor_of(best) else 1 / ABOUT) or other <= 0:
                    break
                best = dose
            if self._helps(best, share):
                break
        return best

    def _gain(self, chosen: Chosen, share: float) -> float:
        return self._first_score(chosen, share) - self._first_score((), share)

    def _can_try(self, chosen: Chosen, share: float) -> bool:
        return self.meeting.can_pay([chosen, ()], share, [SEED])

    def _helps(self, chosen: Chosen, share: float) -> bool:
        """Whether it is better than the unchanged run on the first seed, by more than its samples may deceive."""
        if not self._can_try(chosen, share):
            return False
        gap = self._gain(chosen, share)
        return gap > max(4 * self.track.ruler.matters, self.track.ruler.blur(gap))

    def _is_known(self, chosen: Chosen, share: float) -> bool:
        return not self.track.price([remedies_of(chosen), ()], [SEED], share)[1]

    def _first_score(self, chosen: Chosen, share: float) -> float:
        return self.track.ruler.fair(self.track.run(remedies_of(chosen), SEED, share).score)

    def _share(self, chosen: Chosen) -> float:
        """The length at which all races to come can be paid: against none, and each left out. Where a short try shows
        nothing, a whole run is made, and the length is taken at which that showed half of what it came to."""
        if not self._helps(chosen, TRY) and self._helps(chosen, 1.0):
            known = (share / 10 for share in range(2, 10) if self._is_known(chosen, share / 10))
            return next((s for s in known if self._gain(chosen, s) > 0.5 * self._gain(chosen, 1.0)), 1.0)
        rests = [tuple(c for c in chosen if c is not left_out) for left_out in chosen]
        return self.meeting.longest([chosen, (), *(r for r in rests if r)], self.track.seeds)

    # -- short races --------------------------------------------------------------------------------------------------

    def _all_together(self, chosen: Chosen, share: float) -> None:
        """On more seeds, or for longer, where it was better but not beyond doubt."""
        why = "all remedies together, since faults hide one another" if len(chosen) > 1 else "does it help?"
        ran = self._at_any_price(chosen, share, why)
        while ran is not None and not self._keep(chosen, ran) and ran.effect.mean > self.track.ruler.matters:
            more = None
            if _is_close(ran.effect) and ran.effect.seeds == len(self.track.seeds):
                more = self._at_any_price(
                    chosen,
                    ran.share,
                    "better, but not beyond doubt: more seeds",
                    self.track.more_seeds,
                    ran.effect.seeds + 1,
                )
            if more is None and ran.share < 1:
                more = self._at_any_price(
                    chosen, min(1.0, 2 * ran.share), "better, but not beyond doubt: the same for longer"
                )
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
        share = self.meeting.longest([(), *((c,) for c in left)], self.track.seeds[:PAIRS])
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

    def _spend_the_rest(self) -> None:
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


def _new_in(report: Report, chosen: Chosen, known: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a second look that a remedy was taken up for."""
    names = {name for c in chosen for name in c.causes} - {f.name for f in known}
    return tuple(f for f in report if f.name in names)


def _is_close(effect: Effect) -> bool:
    """Whether two more seeds may decide it: of three they halve the interval, and cost less than a longer race."""
    return math.isfinite(effect.low) and effect.high - effect.mean < 2 * effect.mean
