"""The track: where arms are run. It keeps the account, the clock and every outcome, so that nothing is trained twice.

May not: judge, print, choose what to try.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from torchdoctor.cures.arm import INTERRUPTED, Length, Outcome, built, shortened
from torchdoctor.cures.budget import Budget, Purse
from torchdoctor.cures.effect import Ruler
from torchdoctor.cures.hopeless import looked_at
from torchdoctor.cures.identity import difference, identity
from torchdoctor.cures.progress import Progress, ReportProgress, Stage
from torchdoctor.cures.range_test import Interval, interval, swept
from torchdoctor.cures.remedies import Key, key_of, names_of, treated, without_length
from torchdoctor.cures.runner import Here, Job, Runner, Wait
from torchdoctor.cures.shelf import Shelf
from torchdoctor.cures.stored import is_kept, keep_arm, keep_measured, measured, outcome_of, recipe_of
from torchdoctor.cures.validation import ruler_for
from torchdoctor.errors import BadParts, BadRun
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Parts
from torchdoctor.probes.check import examine

PIECES = 10  # blocks of steps in which a rise of the loss is looked for
WORSE = 2.0  # standard deviations of one step's loss, by which a block's must have risen to be called worse
SWEEP, SWEPT, SHORTEST = 100, 0.05, 30  # steps of a range test at most; its share of a run; its steps at least
KEPT = 3  # treated experiments
MORE = 2  # seeds, for a race that is nearly decided
SEED = 0  # of the first run; the others follow


class Track:
    """experiment: the unchanged one. seeds: how many an arm is run with, at most. shelf: where what was run is kept,
    and found by a cure that is resumed. runner: trains the arms; default: this process."""

    def __init__(
        self,
        experiment: Experiment,
        budget: Budget,
        seeds: int,
        report_progress: ReportProgress | None,
        shelf: Shelf | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.experiment = experiment
        self.purse = Purse(budget)
        self.seeds = range(SEED, SEED + seeds)
        self.more_seeds = range(SEED, SEED + seeds + MORE)
        self.ruler = Ruler(1)
        self.stage: Stage = "baseline"
        self.what = self.why = ""
        self.noted: Callable[[], object] | None = None  # called whenever something begins or has ended
        self._report = report_progress
        self._shelf = Shelf() if shelf is None else shelf
        self._runner = Here(self.experiment_with) if runner is None else runner
        self._treated: dict[Key, Experiment] = {}
        self._outcomes: dict[tuple[Key, int, Length], Outcome] = {}
        self._under_way: dict[tuple[Key, int, Length], Wait] = {}
        self._passes = 0  # of a whole run, as what follows: what lengths and costs are measured by
        self._samples = self._batches = 0.0
        self._heeds_epochs = True

    def examined(self, remedies: Sequence[Remedy], seconds: float) -> Trace:
        """What the probes measure of the experiment with these remedies, within so many seconds."""
        return self._measured(
            "examined", remedies, lambda parts: examine(parts, budget=self.purse.at_most(seconds), seed=SEED)
        )

    def data(self, with_models: bool) -> Trace:
        """What the samples say by themselves. with_models: and what small models learn from them."""
        self.tell(self.stage, "the data", "is there anything to learn from them?")
        return self._measured("data", (), lambda parts: looked_at(parts, SEED, with_models))

    def exchanged(self, share: float) -> Outcome | None:
        """The unchanged experiment on exchanged labels; None where it cannot be paid."""
        if not self.purse.affords(share):
            return None
        what, why = "unchanged, on exchanged labels", "does it do as well on labels that say nothing?"
        self.tell(self.stage, what, why)
        job = Job(self.experiment, (), SEED, self.length((), share), exchanged=True)
        return self._paid(job, what, share)

    def rates(self, remedies: Sequence[Remedy]) -> Interval | None:
        """Between which factors of the rate the experiment with these remedies learns, by a sweep that takes a
        twentieth of a run; None where that says nothing, is too short to say anything, or cannot be paid."""
        steps = min(SWEEP, int(self._batches * SWEPT))
        cost = steps / max(1.0, self._batches)
        if steps < SHORTEST or not self.purse.affords(cost):
            return None
        self.tell(self.stage, names_of(remedies), "a sweep from far too low a rate to far too high a one")
        sweep = self._measured(f"sweep {steps}", remedies, lambda parts: swept(parts, steps))
        self.purse.pay(float(sweep.facts["samples"]) / self._samples)
        return interval(sweep)

    def _measured(self, what: str, remedies: Sequence[Remedy], measure: Callable[[Parts], Trace]) -> Trace:
        known = measured(what, remedies, self._shelf)
        if known is not None:
            self.purse.earlier += known[1]
            return known[0]
        began = time.monotonic()
        trace = measure(built(self.experiment_with(remedies), SEED))
        return keep_measured(what, remedies, trace, time.monotonic() - began, self._shelf)

    def meet(self) -> None:
        """Build once, to see what scores are measured on, and that what was kept is of this experiment."""
        parts = built(self.experiment, SEED)
        self.ruler = ruler_for(self.experiment, parts)
        mine, kept = identity(parts, self.experiment), self._shelf.asked.get("identity")
        if kept and (what := difference(kept if isinstance(kept, dict) else {}, mine)):
            raise BadRun(
                f"{self._shelf.folder} holds the cure of another experiment: {what}. Give the experiment it was begun "
                "with, or another folder."
            )
        self._shelf.begin({**self._shelf.asked, "identity": mine}, recipe_of(self.experiment))

    def first_run(self) -> Outcome:
        """The unchanged experiment, whole and watched: what all lengths and costs are measured by."""
        whole = Length(self.experiment.epochs)
        self.tell("baseline", "unchanged", "to see what happens, and how long a run takes")
        outcome = self._outcome(Job(self.experiment, (), SEED, whole, watched=True), "unchanged", 1.0)
        if not outcome.drawn and outcome.error == INTERRUPTED:
            raise KeyboardInterrupt
        if not outcome.drawn:
            raise BadParts(
                f"The loop took no batch from parts.train{': ' + outcome.error if outcome.error else ''}. "
                "fit(parts, log) must train on parts.train, or arms with the same data cannot be run."
            )
        ended_early = bool(outcome.error) or not math.isfinite(_last_loss(outcome))
        passes = max(outcome.passes, whole.epochs) if ended_early else outcome.passes
        self._passes, self._samples = passes, max(outcome.samples, passes * outcome.per_pass if ended_early else 0)
        self._batches = outcome.drawn * self._samples / outcome.samples
        self.purse.run_seconds = outcome.seconds * self._samples / outcome.samples
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
            return min(1.0, int(np.argmin(good)) / self._batches)
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
            self._outcomes[_key(self._job(remedies, seed, length))] = known
        return known

    def ahead(self, arms: Sequence[Sequence[Remedy]], seeds: Sequence[int], share: float) -> None:
        """Let them be begun that will be asked for: on a cluster they run side by side; here it changes nothing."""
        for seed in seeds:
            for remedies in arms:
                job = self._job(remedies, seed, self.length(remedies, share))
                known = self._known(remedies, seed, job.length) is not None or is_kept(job, self._shelf)
                if not known and _key(job) not in self._under_way:
                    teller = self._teller(f"{names_of(remedies)}, seed {seed - SEED + 1}", share)
                    self._under_way[_key(job)] = self._runner.start(job, teller)

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
        """A share of a whole run, as epochs, or as samples in each pass where epochs are too coarse or not heeded."""
        epochs = self.experiment_with(remedies).epochs
        if share >= 1:
            return Length(epochs)
        per_pass = self._samples / max(1, self._passes)
        if not self._heeds_epochs:
            return Length(epochs, max(1, round(share * per_pass)))
        if share * epochs >= 1:
            return Length(int(share * epochs))
        return Length(1, max(1, round(share * epochs * per_pass)))

    def share_of(self, batches: int) -> float:
        """The share of a run that is that many batches long."""
        return min(1.0, batches / max(1, self._batches))

    def tell(self, stage: Stage, what: str, why: str, under_way: float = 0.0) -> None:
        """Report progress. under_way: what of a run that is not finished has been spent."""
        new = (stage, what, why) != (self.stage, self.what, self.why)
        self.stage, self.what, self.why = stage, what, why
        if new and self.noted is not None:
            self.noted()
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
        outcome = self._paid(self._job(remedies, seed, length), what, share)
        if self._heeds_epochs and self._overran(outcome, length):
            self._heeds_epochs = False  # `for epoch in range(20)` in a loop of the user's: shorten its passes instead
            return self.run(remedies, seed, share)
        return outcome

    def _paid(self, job: Job, what: str, share: float) -> Outcome:
        outcome = self._outcome(job, what, share)
        if outcome.error == INTERRUPTED:
            raise KeyboardInterrupt  # half an arm is worth nothing, and the unchanged one's would make any other win
        self.purse.pay(outcome.samples / self._samples)
        return outcome

    def _job(self, remedies: Sequence[Remedy], seed: int, length: Length) -> Job:
        return Job(self.experiment, tuple(remedies), seed, length, watched=seed == SEED)

    def _outcome(self, job: Job, what: str, share: float) -> Outcome:
        """From the shelf, from who has begun it, or by running it now."""
        known = outcome_of(job, self._shelf)
        if known is not None:
            self.purse.earlier += known.seconds
            return known
        wait = self._under_way.pop(_key(job), None) or self._runner.start(job, self._teller(what, share))
        outcome = wait()
        if outcome.error == INTERRUPTED:
            return outcome
        return keep_arm(job, outcome, self.experiment_with(job.remedies), share, self._shelf)

    def _overran(self, outcome: Outcome, length: Length) -> bool:
        asked = self._passes * length.epochs / self.experiment.epochs
        return length.epochs < self.experiment.epochs and outcome.passes > 1.5 * asked + 1

    def _teller(self, what: str, share: float) -> Any:
        def tell(**numbers: float) -> None:
            if self._report is not None and "epoch" in numbers:
                part = min(1.0, (numbers["epoch"] + 1) / max(1.0, share * self.experiment.epochs))
                self.tell(self.stage, what, self.why, under_way=share * part)

        return tell


def _last_loss(outcome: Outcome) -> float:
    """Infinite weights end torchdoctor's own loop before its time."""
    return outcome.trace["loss"].last if outcome.trace is not None and outcome.trace.has("loss") else 0.0


def _key(job: Job) -> tuple[Key, int, Length]:
    return key_of(without_length(job.remedies)), job.seed, job.length
