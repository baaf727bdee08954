"""Which remedies are kept: all together against none, then each left out once, then at full length.

Causes mask each other: with two faults, each remedy alone may do nothing. So the first race is all remedies together
against the unchanged network, and what each is worth is seen by leaving it out of the full set, the least likely first.
Where a remedy is not missed it is dropped, and the next is left out of what remains: of two that do the same, the more
likely one stays and is proven. Only where all together do not win are remedies raced one by one (successive halving),
and the best is built upon (forward selection). Forward selection first would be dearer and would miss masked pairs.

May not: judge, print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torchdoctor.cures.candidates import Candidate, Candidates, candidates
from torchdoctor.cures.race import Race, race
from torchdoctor.cures.track import Track
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.report import Report

MATTERS = 0.005  # a remedy that gives less than half a point of score is not kept for it
LONGEST = 0.25  # share of a run that an arm takes at first: enough to see, and leaves something to try again with
FEWEST_BATCHES = 20  # a shorter race would say more about the first steps than about the network
PAIRS = 2  # the fewest seeds an interval can be had from
LOOKS = 2  # how often one looks again for what the faults before it hid
WHOLE = 1.0  # run, kept back for the proof at full length

Chosen = tuple[Candidate, ...]


@dataclass
class Search:
    """The state of a search, filled as it goes, so that an interruption leaves what was proven.

    look: what the rules say of the experiment with some remedies, by its arm of that share of a run.
    kept: the cure so far. won: it against the unchanged experiment, short. final: the same at full length, and
    report_after what is found in it. notes: what could not be done, and why.
    """

    track: Track
    look: Callable[[Sequence[Remedy], float], Report]
    found: Candidates = field(default_factory=lambda: Candidates(()))
    races: list[Race] = field(default_factory=list)
    kept: Chosen = ()
    won: Race | None = None
    final: Race | None = None
    report_after: Report | None = None
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """All of it, as far as the budget goes."""
        quick = tuple(c for c in self.found.chosen if not c.full_length)
        share = self._share(2 + (len(quick) if len(quick) > 1 else 0), len(self.track.seeds))
        if self.track.breaks_late(share):
            share = 1.0
        self._all_together(quick, share)
        for _ in range(LOOKS):
            quick = self._with_hidden(quick)
        if self.kept:
            self._leave_out()
        else:
            self._one_by_one([*quick, *(c for c in self.found.reserve if not c.full_length)])
        slow = tuple(c for c in self.found.chosen if c.full_length)
        if self.kept:
            self._confirm()
            slow = self._left_at_the_end()
        self._at_full_length(slow)

    def _all_together(self, chosen: Chosen, share: float) -> None:
        """Longer where it was better but not beyond doubt."""
        why = "all remedies together, since faults hide one another" if len(chosen) > 1 else "does it help?"
        while chosen:
            ran = self._race(chosen, (), share, why)
            if ran is not None and ran.proven:
                self.kept, self.won = chosen, ran
            if ran is None or ran.proven or share >= 1 or ran.effect.mean <= MATTERS:
                return
            share, why = min(1.0, 2 * share), "better, but not beyond doubt: the same for longer"

    def _with_hidden(self, chosen: Chosen) -> Chosen:
        """The chosen, and remedies for what is found once they are in place: faults hide one another from rules."""
        if not self.races or not self.track.purse.affords(WHOLE):
            return chosen
        share = self.races[-1].share
        new = self._candidates_on_top(chosen, share)
        more = (*chosen, *(c for c in new if not c.full_length))
        if more == chosen:
            return chosen
        if self.kept:
            added = self._race(more, chosen, share, "does what was found in the second look add to it?")
            if added is None or not added.proven:
                return chosen
        self._all_together(more, share)
        return more

    def _candidates_on_top(self, chosen: Chosen, share: float) -> Chosen:
        report = self.look(remedies_of(chosen), share)
        return candidates(report, self.track.experiment, remedies_of(chosen)).chosen

    def _left_at_the_end(self) -> Chosen:
        """What is still found after the whole run with what is kept, and shows in whole runs."""
        if self.final is None:
            return ()
        self.report_after = self.look(remedies_of(self.kept), 1.0)
        found = candidates(self.report_after, self.track.experiment, remedies_of(self.kept)).chosen
        return tuple(c for c in found if c.full_length)

    def _leave_out(self) -> None:
        assert self.won is not None
        share = self.won.share
        for candidate in self.kept[::-1]:
            rest = tuple(c for c in self.kept if c is not candidate)
            if not rest:
                break  # it is raced against the unchanged network below
            missed = self._race(self.kept, rest, share, f"is {candidate.remedy.fix} missed where the others are?")
            if missed is None:
                self.notes.append(f"the budget did not allow a race without {candidate.remedy.fix}")
            elif not missed.proven and missed.effect.mean < MATTERS:
                self.kept = rest
        if len(self.kept) < len(self.won.changed):
            again = self._race(self.kept, (), share, "what is left, against the unchanged network")
            self.kept, self.won = (self.kept, again) if again and again.proven else ((), None)

    def _one_by_one(self, left: list[Candidate]) -> None:
        """Halve the field after each seed; then the best on all seeds; then what adds to it."""
        share = self._share(2 * len(left) + 2, 1)
        if not left or not self.track.purse.affords(share + WHOLE):
            return
        for seed in self.track.seeds:
            if len(left) == 1 or not self._payable([*([c] for c in left)], share, [seed]):
                break
            ran = [self._record((c,), (), share, "one remedy at a time", [seed]).with_it[seed] for c in left]
            order = sorted(range(len(left)), key=lambda i: -self.track.ruler.fair(ran[i]))
            left = [left[i] for i in order[: (len(left) + 1) // 2]]
        best = self._race((left[0],), (), share, "the best of the single remedies, on more seeds")
        if best is None or not best.proven:
            return
        self.kept, self.won = (left[0],), best
        for candidate in self.found.chosen:
            if candidate not in self.kept and not candidate.full_length:
                more = (*self.kept, candidate)
                added = self._race(more, self.kept, share, f"does {candidate.remedy.fix} add to it?")
                self.kept = more if added and added.proven else self.kept

    def _confirm(self) -> None:
        """On as many seeds as can be paid; the unchanged network's first whole run is there already."""
        if self.won is not None and self.won.share >= 1:
            self.final = self.won
            return
        seeds = self._most_seeds([self.kept, ()], 1.0, reserve=0.0, fewest=1)
        if seeds:
            self.final = self._record(self.kept, (), 1.0, "at full length: is it better in the end?", seeds)
        else:
            self.notes.append("the budget did not allow a run of full length")

    def _at_full_length(self, slow: Chosen) -> None:
        """What shows at the end of a whole run only."""
        for candidate in slow:
            more = (*self.kept, candidate)
            seeds = self._most_seeds([more, self.kept], 1.0, reserve=0.0, fewest=1)
            if not seeds:
                self.notes.append(f"the budget did not allow a whole run with {candidate.remedy.fix}")
                continue
            ran = self._record(more, self.kept, 1.0, "it shows at the end of a whole run only", seeds)
            if ran.proven:
                self.won = self.final = ran if not self.kept else self._record(more, (), 1.0, "all together", seeds)
                self.kept = more

    def _race(self, with_it: Chosen, without: Chosen, share: float, why: str) -> Race | None:
        """None when the budget does not allow it on two seeds at least, with a whole run kept back."""
        seeds = self._most_seeds([with_it, without], share, reserve=WHOLE if share < 1 else 0.0, fewest=PAIRS)
        return self._record(with_it, without, share, why, seeds) if seeds else None

    def _record(self, with_it: Chosen, without: Chosen, share: float, why: str, seeds: Sequence[int]) -> Race:
        changed = [c for c in with_it if c not in without]
        causes = tuple(dict.fromkeys(name for c in changed for name in c.causes))
        arms = remedies_of(with_it), remedies_of(without)
        self.races.append(race(self.track, *arms, causes=causes, why=why, share=share, seeds=seeds))
        return self.races[-1]

    def _most_seeds(self, arms: Sequence[Chosen], share: float, reserve: float, fewest: int) -> Sequence[int]:
        """The most seeds that all arms can be run on, with `reserve` runs left over; none when below `fewest`."""
        counts = range(len(self.track.seeds), min(fewest, len(self.track.seeds)) - 1, -1)
        return next((s for n in counts if self._payable(arms, share, s := self.track.seeds[:n], reserve)), ())

    def _payable(
        self, arms: Sequence[Sequence[Candidate]], share: float, seeds: Sequence[int], reserve: float = WHOLE
    ) -> bool:
        runs, trials = self.track.price([remedies_of(arm) for arm in arms], seeds, share)
        return not trials or self.track.purse.affords(runs + reserve, trials + bool(reserve))

    def _share(self, arms: int, seeds: int) -> float:
        """The length at which so many arms can be paid, with a whole run kept back."""
        affordable = max(0.0, self.track.purse.left - WHOLE) / (arms * seeds)
        return min(LONGEST, max(self.track.shortest(FEWEST_BATCHES), affordable))


def remedies_of(chosen: Sequence[Candidate]) -> tuple[Remedy, ...]:
    """The remedies alone."""
    return tuple(c.remedy for c in chosen)
