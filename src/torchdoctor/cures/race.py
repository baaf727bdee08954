"""A race: the same experiment with one thing changed, run beside the unchanged one on the same data order and seeds.

May not: judge, print, choose what to try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from torchdoctor.cures.effect import Effect, Ruler, effect_of, paired
from torchdoctor.cures.remedies import key_of
from torchdoctor.cures.track import Track
from torchdoctor.judge.finding import Remedy


@dataclass(frozen=True)
class Race:
    """changed: what one arm has and the other has not. on_top_of: what both have. causes: findings it is a remedy for.

    with_it, without: scores {seed: score}; NaN where a run failed, which `errors` then tell. share: length of each arm
    as a share of a whole run. effect: with minus without.
    """

    changed: tuple[Remedy, ...]
    on_top_of: tuple[Remedy, ...]
    causes: tuple[str, ...]
    with_it: Mapping[int, float]
    without: Mapping[int, float]
    effect: Effect
    share: float
    seconds: float
    why: str = ""
    errors: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """The change makes the score better, beyond what seeds and the size of the validation set explain."""
        return self.effect.proven

    @property
    def name(self) -> str:
        """ "standardize-inputs", or "standardize-inputs + set-learning-rate" """
        return " + ".join(r.fix for r in self.changed)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "why": self.why,
            "causes": list(self.causes),
            "changed": [plain(r) for r in self.changed],
            "on_top_of": [plain(r) for r in self.on_top_of],
            "with": {str(s): v for s, v in self.with_it.items()},
            "without": {str(s): v for s, v in self.without.items()},
            "effect": self.effect.to_dict(),
            "proven": self.proven,
            "share": self.share,
            "seconds": round(self.seconds, 3),
            "errors": list(self.errors),
        }


def _beyond(more: Sequence[Remedy], less: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """What `more` has and `less` has not; of a remedy that is in both, once in one and twice in the other, one."""
    left = Counter(key_of([r]) for r in less)
    beyond = []
    for remedy in more:
        key = key_of([remedy])
        if not left[key]:
            beyond.append(remedy)
        left[key] -= bool(left[key])
    return tuple(beyond)


def borne_out(final: Race | None, won: Race | None, ruler: Ruler) -> bool:
    """Whether whole runs bear out what short races have shown: better by more than the validation set's own blur. An
    interval is not asked for, since the budget may pay for one whole run only; of one seed the short races tell how
    far seeds scatter, and no less than that is believed."""
    if final is None or not final.effect.seeds:
        return False
    least = max(ruler.matters, ruler.blur(final.effect.mean))
    if final.effect.seeds == 1 and won is not None and won.effect.seeds > 1:
        least = max(least, float(np.std(paired(won.with_it, won.without, ruler), ddof=1)))
    return final.effect.mean > least


def plain(remedy: Remedy) -> dict[str, Any]:
    """A remedy as plain values."""
    return {"fix": remedy.fix, "options": dict(remedy.options)}


def race(
    track: Track,
    with_it: Sequence[Remedy],
    without: Sequence[Remedy],
    *,
    causes: Sequence[str],
    why: str,
    share: float,
    seeds: Sequence[int] | None = None,
) -> Race:
    """Run both arms, seed by seed, so that what an interruption leaves is pairs. `without` is part of `with_it`."""
    track.tell("confirm" if share >= 1 else "race", " + ".join(r.fix for r in with_it), why)
    ran: dict[int, tuple[float, float]] = {}
    seconds, errors = 0.0, []
    seeds = track.seeds if seeds is None else seeds
    track.ahead([without, with_it], seeds, share)
    for seed in seeds:
        outcomes = [track.run(arm, seed, share) for arm in (without, with_it)]
        ran[seed] = (outcomes[1].score, outcomes[0].score)
        seconds += sum(o.seconds for o in outcomes)
        errors += [o.error for o in outcomes if o.error]
    better, worse = {s: pair[0] for s, pair in ran.items()}, {s: pair[1] for s, pair in ran.items()}
    return Race(
        changed=_beyond(with_it, without),
        on_top_of=tuple(without),
        causes=tuple(causes),
        with_it=better,
        without=worse,
        effect=effect_of(better, worse, track.ruler),
        share=share,
        seconds=seconds,
        why=why,
        errors=tuple(dict.fromkeys(errors)),
    )
