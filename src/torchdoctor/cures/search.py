"""Which remedies are kept: screened on one seed, proven by short paired races, confirmed by a whole run.

screening.py finds what is worth racing, proving.py races it; here are the two put together, and whole runs: to confirm
what short races have proven, and for what shows at the end of a run only (more epochs, more regularisation).

May not: judge, print.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torchdoctor.cures.arm import shortened
from torchdoctor.cures.candidates import Candidate, Candidates, candidates
from torchdoctor.cures.meeting import PAIRS, Chosen, Meeting, remedies_of
from torchdoctor.cures.proving import BEYOND, Proving
from torchdoctor.cures.race import Race, borne_out
from torchdoctor.cures.screening import TRY, Look, Screening
from torchdoctor.cures.track import SEED, Track
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report

LATE = 0.5  # share of a run; where it takes longer to see a fault, whole runs are raced, which need no confirming


@dataclass
class Search:
    """The state of a search, filled as it goes, so that an interruption leaves what was proven.

    look: what the rules say of the experiment with some remedies, by its run of that share. final: the cure against the
    unchanged experiment at full length, and report_after what is found there.
    """

    meeting: Meeting
    look: Look
    found: Candidates = field(default_factory=lambda: Candidates(()))
    final: Race | None = None
    report_after: Report | None = None

    def __post_init__(self) -> None:
        self.screening = Screening(self.meeting, self.look)
        self.proving = Proving(self.meeting, self.screening)

    @property
    def track(self) -> Track:
        return self.meeting.track

    @property
    def kept(self) -> Chosen:
        """The cure so far."""
        return self.proving.kept

    @property
    def won(self) -> Race | None:
        """The cure against the unchanged experiment, on several seeds."""
        return self.proving.won

    @property
    def confirmed(self) -> bool:
        """Whether whole runs bear out what short races have proven. Only then is it handed over: what is faster at
        first may be worse in the end."""
        return bool(self.kept) and borne_out(self.final, self.won, self.track.ruler)

    @property
    def uncovered(self) -> tuple[Finding, ...]:
        """What came to light once the first remedies were in place."""
        return self.screening.uncovered

    @property
    def notes(self) -> list[str]:
        """What could not be done."""
        return self.proving.notes

    def run(self) -> None:
        """All of it, as far as the budget goes."""
        quick = tuple(c for c in self.found.chosen if not c.full_length)
        slow = tuple(c for c in self.found.chosen if c.full_length)
        if quick:
            self._race_quick(quick)
        else:
            self._race_substitutes(slow)
        if self.kept:
            self._confirm()
            slow = self._left_at_the_end()
        for candidate in slow:
            self._at_full_length(candidate)
        self.proving.spend_the_rest()

    def _race_quick(self, chosen: Chosen) -> None:
        broken = BEYOND * self.track.broken_from()
        share = 1.0 if broken > LATE else max(TRY, broken)
        chosen, seen = self.screening.screened(chosen, share)
        self.proving.run(chosen, self.found, seen if share > TRY else self._share(chosen, seen))

    def _race_substitutes(self, slow: Chosen) -> None:
        """For more epochs a higher rate: what shows at once and is offered for the same cause costs less to prove. Only
        where a first try speaks for it, since whole runs need the money else."""
        usable = self.screening.is_usable
        quick = tuple(q for c in slow if (q := c.quicker) is not None and usable(q.remedy, ()))[:1]
        if quick and self.screening.helps(best := self.screening.tuned(quick, TRY), TRY):
            self.proving.run(best, self.found, self._share(best, TRY))

    def _share(self, chosen: Chosen, seen: float) -> float:
        """The length of a race. Where a short try shows it, one at which all races to come can be paid: against none,
        and each left out. Else the shortest at which half of what was seen at last can be seen."""
        if seen > TRY:
            known = (share / 10 for share in range(2, round(10 * seen)) if self.screening.is_known(chosen, share / 10))
            whole = self.screening.gain(chosen, seen)
            return next((s for s in known if self.screening.gain(chosen, s) > 0.5 * whole), seen)
        rests = [tuple(c for c in chosen if c is not left_out) for left_out in chosen]
        return self.meeting.longest([chosen, (), *(r for r in rests if r)], self.track.seeds)

    def _confirm(self) -> None:
        """On as many seeds as can be paid; the unchanged network's first whole run is there already."""
        if self.won is not None and self.won.share >= 1:
            self.final = self.won
            return
        self.final = self.meeting.race(self.kept, (), 1.0, "at full length: is it better in the end?", fewest=1)

    def _left_at_the_end(self) -> Chosen:
        """What is still found after the whole run with what is kept, and shows in whole runs."""
        if self.final is None:
            return ()
        self.report_after = self.look(remedies_of(self.kept), 1.0)
        found = candidates(self.report_after, self.track.experiment, remedies_of(self.kept)).chosen
        return tuple(c for c in found if c.full_length)

    def _at_full_length(self, candidate: Candidate) -> None:
        """What shows at the end of a whole run only: as much of it as can be paid on two seeds. Longer runs go through
        those they are raced against; where that is known to be so, the shorter ones cost nothing."""
        left = self.track.purse.left
        for most in (left / PAIRS, (left - 1) / PAIRS):
            if (dose := candidate.dose(most)) is None:
                continue
            more = (*self.kept, dose)
            self._run_longer(more)
            ran = self.meeting.race(more, self.kept, 1.0, "it shows at the end of a whole run only")
            if ran is None:
                continue
            whole = ran if not (ran.proven and self.kept) else self.meeting.race(more, (), 1.0, "together", fewest=1)
            if ran.proven and (borne_out(whole, ran, self.track.ruler) or not self.confirmed):
                self.proving.kept, self.proving.won, self.final = more, ran, whole
            return
        self.notes.append(f"the budget did not allow whole runs with {candidate.remedy.fix} on two seeds")

    def _run_longer(self, more: Chosen) -> None:
        """First, so that the race finds it known, and the shorter run with it; where two seeds can be paid."""
        longer = self.track.experiment_with(remedies_of(more)).epochs > self.track.experiment.epochs
        first, seeds = self.track.run((), SEED), self.track.seeds[:PAIRS]
        goes_through = longer and shortened(first, self.track.experiment, 1) is not None
        if goes_through and self.meeting.can_pay([more], 1.0, seeds):
            for seed in seeds:
                self.track.run(remedies_of(more), seed)
