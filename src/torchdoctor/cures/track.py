"""The track: where arms are run. It keeps the account, the clock and every outcome, so that nothing is trained twice.

May not: judge, print, choose what to try.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchdoctor.cures.arm import Length, Outcome, shortened, trained
from torchdoctor.cures.budget import Budget, Purse
from torchdoctor.cures.effect import Ruler
from torchdoctor.cures.progress import Progress, ReportProgress, Stage
from torchdoctor.cures.remedies import Key, key_of, names_of, treated, without_length
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.series import Series
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import batches_of
from torchdoctor.probes.fork import preserved, reading

PIECES = 10  # blocks of steps in which a rise of the loss is looked for
WORSE = 2.0  # standard deviations of one step's loss, by which a block's must have risen to be called worse
KEPT = 3  # treated experiments
MORE = 2  # seeds, for a race that is nearly decided
SEED = 0  # of the first run; the others follow


class Track:
    """experiment: the unchanged one. seeds: how many an arm is run with, at most."""

    def __init__(
        self, experiment: Experiment, budget: Budget, seeds: int, report_progress: ReportProgress | None
    ) -> None:
        self.experiment = experiment
        self.purse = Purse(budget)
        self.seeds = range(SEED, SEED + seeds)
        self.more_seeds = range(SEED, SEED + seeds + MORE)
        self.ruler = Ruler(1)
        self.stage: Stage = "baseline"
        self.why = ""
        self._report = report_progress
        self._treated: dict[Key, Experiment] = {}
        self._outcomes: dict[tuple[Key, int, Length], Outcome] = {}
        self._met: weakref.WeakSet[Any] = weakref.WeakSet()
        self._drawn = self._passes = 0  # by a whole run
        self._heeds_epochs = True

    def first_run(self) -> Outcome:
        """The unchanged experiment, whole and watched: what all lengths and costs are measured by."""
        whole = Length(self.experiment.epochs)
        self.tell("baseline", "unchanged", "to see what happens, and how long a run takes")
        outcome = trained(
            self.experiment, SEED, whole, watched=True, tell=self._teller("unchanged", 1.0), meet=self._first_meeting
        )
        if not outcome.drawn:
            raise BadParts(
                f"The loop took no batch from parts.train{': ' + outcome.error if outcome.error else ''}. "
                "fit(parts, log) must train on parts.train, or arms with the same data cannot be run."
            )
        ended_early = bool(outcome.error) or not math.isfinite(_last_loss(outcome))
        passes = max(outcome.passes, whole.epochs) if ended_early else outcome.passes
        self._passes, self._drawn = passes, max(outcome.drawn, passes * outcome.per_pass if ended_early else 0)
        self.purse.run_seconds = outcome.seconds * self._drawn / outcome.drawn
        self._outcomes[(), SEED, whole] = outcome
        return outcome

    def broken_from(self) -> float:
        """The share of the unchanged run after which its training loss stayed worse than it had been; 0 when it did
        not break. A race that ends earlier would show nothing, or the contrary: gradients that add up speed a run up
        before they wreck it."""
        first = self.run((), SEED)
        loss = first.trace["loss"] if first.trace is not None else Series.of([])
        good = np.isfinite(loss.values)
        if not good.all():
            return min(1.0, int(np.argmin(good)) / self._drawn)
        if len(loss) < 4 * PIECES:
            return 0.0
        blocks = loss.blocks(PIECES)
        worse = blocks > blocks.min() + WORSE * loss.head(len(loss) // PIECES).noise()
        since = len(worse) - int(np.argmin(worse[::-1])) if worse[-1] else 0  # of the last blocks in a row
        return min(1.0, (since + 1) / PIECES) if since else 0.0

    def run(self, remedies: Sequence[Remedy], seed: int, share: float = 1.0) -> Outcome:
        """The experiment with these remedies, for this share of a whole run; remembered."""
        length = self.length(remedies, share)
        known = self._known(remedies, seed, length)
        if known is None:
            known = self._trained(remedies, seed, length, share)
            self._outcomes[key_of(without_length(remedies)), seed, length] = known
        return known

    def price(self, arms: Sequence[Sequence[Remedy]], seeds: Sequence[int], share: float = 1.0) -> tuple[float, int]:
        """What it takes to run all arms on all seeds: whole runs, and trainings; what was run already is free."""
        runs, trials = 0.0, 0
        for remedies in arms:
            length = self.length(remedies, share)
            new = sum(self._known(remedies, seed, length) is None for seed in seeds)
            runs += new * share * self.experiment_with(remedies).epochs / self.experiment.epochs
            trials += new
        return runs, trials

    def experiment_with(self, remedies: Sequence[Remedy]) -> Experiment:
        """The experiment with these remedies. The last few are kept, with the data that a recipe's builder has read,
        since the arms of a race take turns; not more, since each may hold all data once."""
        if not remedies:
            return self.experiment
        key = key_of(remedies)
        experiment = self._treated.pop(key) if key in self._treated else treated(self.experiment, remedies)
        self._treated[key] = experiment  # the last in order, so that the first is the one not asked for longest
        if len(self._treated) > KEPT:
            del self._treated[next(iter(self._treated))]
        return experiment

    def length(self, remedies: Sequence[Remedy], share: float) -> Length:
        """A share of a whole run, as epochs, or as batches in each pass where epochs are too coarse or not heeded."""
        epochs = self.experiment_with(remedies).epochs
        if share >= 1:
            return Length(epochs)
        per_pass = self._drawn / max(1, self._passes)
        if not self._heeds_epochs:
            return Length(epochs, max(1, round(share * per_pass)))
        if share * epochs >= 1:
            return Length(int(share * epochs))
        return Length(1, max(1, round(share * epochs * per_pass)))

    def share_of(self, batches: int) -> float:
        """The share of a run that is that many batches long."""
        return min(1.0, batches / max(1, self._drawn))

    def tell(self, stage: Stage, what: str, why: str, under_way: float = 0.0) -> None:
        """Report progress. under_way: what of a run that is not finished has been spent."""
        self.stage, self.why = stage, why
        if self._report is not None:
            done, total, eta = self.purse.standing(under_way)
            self._report(Progress(stage, what, why, done, total, self.purse.budget.unit, eta))

    def _known(self, remedies: Sequence[Remedy], seed: int, length: Length) -> Outcome | None:
        """The outcome if it was run already, or if a longer run of the same went through it."""
        key, experiment = key_of(without_length(remedies)), self.experiment_with(remedies)
        if (key, seed, length) in self._outcomes:
            return self._outcomes[key, seed, length]
        longer = (
            outcome
            for (k, s, other), outcome in self._outcomes.items()
            if (k, s) == (key, seed) and other.at_most is length.at_most is None and other.epochs > length.epochs
        )
        return next((short for o in longer if (short := shortened(o, experiment, length.epochs))), None)

    def _trained(self, remedies: Sequence[Remedy], seed: int, length: Length, share: float) -> Outcome:
        what = f"{names_of(remedies)}, seed {seed - SEED + 1}"
        self.tell(self.stage, what, self.why)
        outcome = trained(
            self.experiment_with(remedies), seed, length,
            watched=seed == SEED, tell=self._teller(what, share), meet=self._another_meeting,
        )  # fmt: skip
        self.purse.pay(outcome.drawn / self._drawn)
        if self._heeds_epochs and self._overran(outcome, length):
            self._heeds_epochs = False  # `for epoch in range(20)` in a loop of the user's: shorten its passes instead
            return self.run(remedies, seed, share)
        return outcome

    def _overran(self, outcome: Outcome, length: Length) -> bool:
        asked = self._passes * length.epochs / self.experiment.epochs
        return length.epochs < self.experiment.epochs and outcome.passes > 1.5 * asked + 1

    def _teller(self, what: str, share: float) -> Any:
        def tell(**numbers: float) -> None:
            if self._report is not None and "epoch" in numbers:
                part = min(1.0, (numbers["epoch"] + 1) / max(1.0, share * self.experiment.epochs))
                self.tell(self.stage, what, self.why, under_way=share * part)

        return tell

    def _first_meeting(self, parts: Parts) -> None:
        self._met.add(parts.model)
        self.ruler = ruler_for(self.experiment, parts)

    def _another_meeting(self, parts: Parts) -> None:
        """Twice the same object would be trained on from where the last arm left it."""
        if any(module in self._met for module in parts.model.modules()):
            raise BadParts("build(seed) gave the same model twice. Make a new one in it each time it is called.")


def _last_loss(outcome: Outcome) -> float:
    """Infinite weights end torchdoctor's own loop before its time."""
    return outcome.trace["loss"].last if outcome.trace is not None and outcome.trace.has("loss") else 0.0


def ruler_for(experiment: Experiment, parts: Parts) -> Ruler:
    """Samples, and what kind of number the score is: a share where targets are classes or 0/1."""
    loader = parts.train if parts.val is None else parts.val
    with preserved(parts):
        targets = [b.target for b in islice(batches_of(reading(loader), "val"), 1000)]
    tensors = [t for t in targets if isinstance(t, Tensor)]
    one_hot = bool(tensors) and tensors[0].is_floating_point()
    samples = sum((len(t) if one_hot and t.ndim else t.numel()) for t in tensors)  # of dense labels, every pixel
    if not tensors or experiment.score is not None:
        return Ruler(max(1, samples), "own")
    if any(t.is_floating_point() and not bool(((t == 0) | (t == 1)).all()) for t in tensors):
        # A loop of the user's may train for something that R2 does not measure.
        return Ruler(samples, "r2", chance=0.0 if experiment.fit is None or experiment.recipe else math.nan)
    return Ruler(samples, "share", chance=_chance(tensors))


def _chance(targets: Sequence[Tensor]) -> float:
    """The share of the commonest class; of 0/1 numbers, for the area under the curve, one half."""
    if targets[0].is_floating_point() and targets[0].numel() == len(targets[0]):
        return 0.5
    classes = torch.cat([(t.argmax(1) if t.is_floating_point() else t).reshape(-1) for t in targets])
    known = classes[classes >= 0]
    return float(known.bincount().max() / len(known)) if len(known) else math.nan
