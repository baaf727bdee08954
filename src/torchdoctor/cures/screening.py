"""What to race, found on one seed: short runs of all remedies together, of what they uncover, of doses and substitutes.

Causes hide each other from rules: under a saturated softmax no learning rate looks right. So the first try, a short
run on one seed, is watched and judged again, and what comes to light joins the remedies before any money goes into
races. Where a short run shows nothing, the field climbs: what else the findings offer runs beside it, the better half
goes on, twice as long (successive halving), and the last one of the field for a whole run. A run's score after each
epoch is known, so that a long run is worth all shorter ones.

May not: judge, print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torchdoctor.cures.candidates import Candidate, candidates, dosed, factor_of, is_dose, joined
from torchdoctor.cures.meeting import Chosen, Meeting, remedies_of
from torchdoctor.cures.remedies import why_not
from torchdoctor.cures.track import SEED, Track
from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.report import Report

TRY = 0.15  # share of a run that a first try takes, on one seed
WIDER = 10.0  # by which what is tuned by a factor is raised or lowered at a time
ABOUT = 0.75  # of another's gain over the unchanged network: about as good
LOOKS = 2  # how often one looks again for what the faults before it hid

Look = Callable[[Sequence[Remedy], float], Report]


@dataclass
class Screening:
    """look: what the rules say of the experiment with some remedies, by its run of that share. uncovered: what came to
    light once the first remedies were in place."""

    meeting: Meeting
    look: Look
    uncovered: tuple[Finding, ...] = ()

    @property
    def track(self) -> Track:
        return self.meeting.track

    def screened(self, chosen: Chosen, share: float) -> tuple[Chosen, float]:
        """What to race of the chosen, what is beneath them and what else is offered for the same causes; and the share
        of a run at which it was seen to help, or `share` where nothing was."""
        best = self._tried(chosen, share)
        if self.helps(best, share):
            return best, share
        climbed, height = self._climbed([best, *self._substituted(best)], share)
        return (climbed, height) if self.helps(climbed, height) else (best, share)

    def helps(self, chosen: Chosen, share: float, beside: Chosen = ()) -> bool:
        """Whether it is better on the first seed than `beside`, by more than its samples may deceive. What still gives
        one and the same answer for every sample has not learnt, however much worse the other is."""
        if not self.can_try(chosen, share) or self.track.ruler.is_chance(self.score(chosen, share)):
            return False
        gap = self.score(chosen, share) - self.score(beside, share)
        return gap > max(4 * self.track.ruler.matters, self.track.ruler.blur(gap))

    def gain(self, chosen: Chosen, share: float) -> float:
        """Over the unchanged network, on the first seed."""
        return self.score(chosen, share) - self.score((), share)

    def score(self, chosen: Chosen, share: float) -> float:
        """On the first seed, as it counts in a race."""
        return self.track.ruler.fair(self.track.run(remedies_of(chosen), SEED, share).score)

    def can_try(self, chosen: Chosen, share: float) -> bool:
        """Whether the budget pays for it, the unchanged network and a whole run later."""
        return self.meeting.can_pay([chosen, ()], share, [SEED])

    def is_known(self, chosen: Chosen, share: float) -> bool:
        """Whether it was run, or a longer run of it went through that share."""
        return not self.track.price([remedies_of(chosen), ()], [SEED], share)[1]

    def _tried(self, chosen: Chosen, share: float) -> Chosen:
        """The chosen, and what comes to light beneath them. What is tuned is tuned last: a rate that suits unscaled
        inputs does not suit scaled ones, so the first look's is tried only where the second's does not help."""
        firm = tuple(c for c in chosen if not c.tuning)
        tried = self._looked_beneath(firm or chosen, share)
        if firm and firm != chosen and not self.helps(self._best(tried, share), share):
            tried += self._looked_beneath(chosen, share)
        best = self._best(tried, share)
        deepest = best if self.helps(best, share) else tried[-1]
        tuned = self.tuned(deepest, share)
        if not self.helps(tuned, share):
            tuned = self._ranged(deepest, share)
        return tuned if self.helps(tuned, share) else best

    def _ranged(self, chosen: Chosen, share: float) -> Chosen:
        """With the rate that a range test names, where a rate is among what is tuned, and a short run bears it out."""
        at = next((i for i, c in enumerate(chosen) if is_dose(c) and resolve(c.remedy).sets == "rate"), None)
        if at is None:
            return chosen
        rest = tuple(c for c in chosen if c is not chosen[at])
        found = self.track.rates(remedies_of(rest))
        if found is None or found.raced == 1:
            return chosen
        rate = replace(chosen[at], remedy=Remedy(chosen[at].remedy.fix, {"factor": found.raced}))
        other = (*chosen[:at], rate, *chosen[at + 1 :])
        return other if self.can_try(other, share) and self.gain(other, share) > self.gain(chosen, share) else chosen

    def _looked_beneath(self, chosen: Chosen, share: float) -> list[Chosen]:
        """The chosen, then with what is found once they are in place, and so on."""
        tried = [chosen]
        for _ in range(LOOKS):
            if not self.can_try(chosen, share):
                break
            report = self.look(remedies_of(chosen), share)
            new = candidates(report, self.track.experiment, remedies_of(chosen)).chosen
            more = joined(chosen, [c for c in new if not c.full_length])
            if more in tried or not self.can_try(more, share):
                break
            chosen = more
            tried.append(chosen)
            self.uncovered += _new_in(report, chosen, self.uncovered)
        return tried

    def _best(self, tried: Sequence[Chosen], share: float) -> Chosen:
        """By the first seed; the earlier, which changes less, where none is really better."""
        best = tried[0]
        for other in tried[1:]:
            worth = self.track.ruler.matters
            if self.can_try(other, share) and self.gain(other, share) > self.gain(best, share) + worth:
                best = other
        return best

    def tuned(self, chosen: Chosen, share: float) -> Chosen:
        """With as much of what is tuned by a factor as helps most: a rate that learns one batch by heart may still be
        too high for all of them. The other way only where nothing has helped. Of two that are about as good after a
        short run the lower rate is taken: the higher is the faster, and the first to break."""
        best = chosen
        for step in (WIDER, 1 / WIDER):
            while (dose := dosed(best, step)) != best and self.can_try(dose, share):
                gain, other = self.gain(best, share), self.gain(dose, share)
                if other == gain:  # to the last bit: it does nothing here, and nor would still more of it
                    break
                if other < gain * (ABOUT if factor_of(dose) < factor_of(best) else 1 / ABOUT) or other <= 0:
                    break
                best = dose
            if self.helps(best, share):
                break
        return best

    def _substituted(self, chosen: Chosen) -> list[Chosen]:
        """The chosen with one of them replaced by what else its finding offers."""
        return [
            (*chosen[:i], replace(candidate, remedy=other), *chosen[i + 1 :])
            for i, candidate in enumerate(chosen)
            for other in candidate.others
            if self.is_usable(other, remedies_of([*chosen[:i], *chosen[i + 1 :]]))
        ]

    def is_usable(self, remedy: Remedy, given: Sequence[Remedy]) -> bool:
        """Whether it shows in a short run, and one batch goes through on top of what is given."""
        return not Candidate(remedy, ()).full_length and not why_not(self.track.experiment, [*given, remedy])

    def _climbed(self, field: Sequence[Chosen], share: float) -> tuple[Chosen, float]:
        """The first of the field that is seen to help, and the share at which it was."""
        while True:
            able = [arm for arm in field if self.can_try(arm, share)]
            self.track.ahead([remedies_of(arm) for arm in able], [SEED], share)
            field = sorted(able, key=lambda arm: -self.gain(arm, share)) or list(field[:1])
            if share >= 1 or not self.can_try(field[0], share) or self.helps(field[0], share):
                return field[0], share
            field = field[: (len(field) + 1) // 2]
            share = min(1.0, 2 * share) if len(field) > 1 else 1.0


def _new_in(report: Report, chosen: Chosen, known: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a second look that a remedy was taken up for."""
    names = {name for c in chosen for name in c.causes} - {f.name for f in known}
    return tuple(f for f in report if f.name in names)
