"""A race meeting: the races that were run, in order, and what the budget still pays for.

May not: judge, print, choose what to try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torchdoctor.cures.candidates import Candidate
from torchdoctor.cures.race import Race, race
from torchdoctor.cures.track import SEED, Track
from torchdoctor.judge.finding import Remedy

LONGEST = 0.25  # share of a run that an arm of a first race takes at most: it leaves something to try again with
FEWEST_BATCHES = 20  # a shorter race would say more about the first steps than about the network
PAIRS = 2  # the fewest seeds an interval can be had from
WHOLE = 1.0  # run, kept back by shorter ones to confirm at full length what they prove

Chosen = tuple[Candidate, ...]


@dataclass
class Meeting:
    """`race` asks the budget first, `record` does not."""

    track: Track
    races: list[Race] = field(default_factory=list)

    def race(
        self,
        with_it: Chosen,
        without: Chosen,
        share: float,
        why: str,
        *,
        seeds: Sequence[int] = (),
        reserve: float = WHOLE,
        fewest: int = PAIRS,
    ) -> Race | None:
        """On as many of the seeds as can be paid with `reserve` runs left over; None when those are below `fewest`."""
        arms = [with_it, without]
        seeds = seeds or self.track.seeds
        if reserve and self.is_known(with_it):
            reserve = 0.0
        for count in range(len(seeds), min(fewest, len(seeds)) - 1, -1):
            if self.can_pay(arms, share, seeds[:count], reserve):
                return self.record(with_it, without, share, why, seeds[:count])
        return None

    def record(self, with_it: Chosen, without: Chosen, share: float, why: str, seeds: Sequence[int]) -> Race:
        """Run it, whatever it costs."""
        changed = [c for c in with_it if c not in without]
        causes = tuple(dict.fromkeys(name for c in changed for name in c.causes))
        arms = remedies_of(with_it), remedies_of(without)
        self.races.append(race(self.track, *arms, causes=causes, why=why, share=share, seeds=seeds))
        return self.races[-1]

    def can_pay(self, arms: Sequence[Chosen], share: float, seeds: Sequence[int], reserve: float = WHOLE) -> bool:
        """Whether all arms can be run on all seeds; whole runs have nothing to keep back for."""
        runs, trials = self.track.price([remedies_of(arm) for arm in arms], seeds, share)
        reserve = reserve if share < 1 else 0.0
        return not trials or self.track.purse.affords(runs + reserve, trials + bool(reserve))

    def is_known(self, arm: Chosen) -> bool:
        """Whether a whole run of it on the first seed is there, to confirm what shorter ones prove."""
        return not self.track.price([remedies_of(arm)], [SEED])[1]

    def longest(self, arms: Sequence[Chosen], seeds: Sequence[int]) -> float:
        """The share of a run at which all arms can be paid on all seeds; not below what is worth racing."""
        share, shortest = LONGEST, self.track.share_of(FEWEST_BATCHES)
        while share > shortest and not self.can_pay(arms, share, seeds):
            share *= 0.9
        return min(LONGEST, max(share, shortest))


def remedies_of(chosen: Sequence[Candidate]) -> tuple[Remedy, ...]:
    """The remedies alone."""
    return tuple(c.remedy for c in chosen)
