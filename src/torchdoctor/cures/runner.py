"""Who runs the arms of a race: this process, one after the other, or anybody else who takes a Job.

May not: judge, print, choose what to try.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from torchdoctor.cures.arm import Length, Outcome, Tell, trained
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts

Wait = Callable[[], Outcome]
Meet = Callable[[Parts], object]


@dataclass(frozen=True)
class Job:
    """One arm: the unchanged experiment, the remedies to put into it, a seed, a length, whether it is watched, and
    whether it is trained on exchanged labels."""

    experiment: Experiment
    remedies: tuple[Remedy, ...]
    seed: int
    length: Length
    watched: bool = False
    exchanged: bool = False

    def trained(self, treated: Experiment, tell: Tell | None = None, meet: Meet | None = None) -> Outcome:
        """Run it. treated: the experiment with the remedies."""
        options = {"watched": self.watched, "exchanged": self.exchanged}
        return trained(treated, self.seed, self.length, **options, tell=tell, meet=meet)


class Runner(Protocol):
    def start(self, job: Job, tell: Tell) -> Wait:
        """Begin it, or leave it for later; what is returned waits for the outcome. tell: gets what the loop logs, as
        far as that can be heard from here."""
        ...


class Here:
    """In this process, when it is waited for: two networks at a time would only slow each other down.

    treat: makes the experiment with the remedies.
    """

    def __init__(self, treat: Callable[[Sequence[Remedy]], Experiment]) -> None:
        self._treat = treat
        self._met: weakref.WeakSet[Any] = weakref.WeakSet()

    def start(self, job: Job, tell: Tell) -> Wait:
        return partial(self._run, job, tell)

    def _run(self, job: Job, tell: Tell) -> Outcome:
        return job.trained(self._treat(job.remedies), tell, self._meet)

    def _meet(self, parts: Parts) -> None:
        """Twice the same object would be trained on from where the last arm left it."""
        if any(module in self._met for module in parts.model.modules()):
            raise BadParts("build(seed) gave the same model twice. Make a new one in it each time it is called.")
        if not self._met:
            self._met.add(parts.model)
