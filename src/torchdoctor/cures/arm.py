"""One arm of a race: an experiment built from a seed, trained for a length, scored. What a worker would be sent to do.

May not: judge, print, know of the other arms.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

from torchdoctor.cures.exchanged import Exchanged
from torchdoctor.cures.stream import Stream
from torchdoctor.errors import one_line
from torchdoctor.experiment import Experiment, Fit
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Parts
from torchdoctor.probes.fork import preserved
from torchdoctor.record.watch import watch
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit as own_fit
from torchdoctor.train.score import evaluating
from torchdoctor.train.score import score as own_score
from torchdoctor.train.seed import random_state, seed_all, set_random_state

Tell = Callable[..., object]
INTERRUPTED = "interrupted"
WATCHING = 0.1  # of a watched run's time: more than a user's own run is asked to bear, since this one is for looking


@dataclass(frozen=True)
class Length:
    """epochs: what the loop is told. at_most: samples in one pass, to make a run shorter than an epoch."""

    epochs: int
    at_most: int | None = None


@dataclass(frozen=True)
class Outcome:
    """score: NaN when it is not defined or the run failed, which `error` then tells. drawn: training batches; samples:
    what was in them.

    passes: over the training loader. per_pass: samples of a whole one. numbers: what the loop logged. trace: of a
    watched run. scheduled: the learning rate followed a schedule.
    """

    score: float
    drawn: int
    samples: int
    passes: int
    seconds: float
    per_pass: int = 0
    error: str = ""
    numbers: Mapping[str, list[float]] = field(default_factory=dict)
    trace: Trace | None = field(default=None, repr=False, compare=False)
    scheduled: bool = False

    def to_dict(self) -> dict[str, Any]:
        """All but the trace, as plain values; Outcome(**plain) is the way back."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "trace")
        return {name: dict(value) if name == "numbers" else value for name, value in named}


def built(experiment: Experiment, seed: int) -> Parts:
    """The parts of that seed. The global random numbers are started from it too, for what draws weights late."""
    seed_all(seed)
    return experiment.parts(seed)


def trained(
    experiment: Experiment,
    seed: int,
    length: Length,
    *,
    watched: bool = False,
    exchanged: bool = False,
    tell: Tell | None = None,
    meet: Callable[[Parts], object] | None = None,
) -> Outcome:
    """Build, train and score; afterwards the caller's random numbers are where they were.

    A run that fails is an outcome too: a change can break a network, and that must not end the race. exchanged: train
    on labels that belong to other samples. tell: is called with what the loop logs. meet: is called with the parts
    before they are trained.
    """
    numbers = random_state()
    try:
        parts = built(experiment, seed)
        if meet is not None:
            meet(parts)
        if exchanged:
            parts = replace(parts, train=Exchanged(parts.train))
        with preserved(parts):
            seed_all(seed)  # again, since building takes more random numbers with some changes than without
            return _run(experiment, parts, seed, length, watched, tell)
    finally:
        set_random_state(numbers)


def score_of(experiment: Experiment, parts: Parts) -> float:
    """By the experiment's own score, or the fixed one; on validation data, or on training data where there are none."""
    loader = parts.train if parts.val is None else parts.val
    with evaluating(parts.model):
        return float((experiment.score or own_score)(parts.model, loader))


def _run(experiment: Experiment, parts: Parts, seed: int, length: Length, watched: bool, tell: Tell | None) -> Outcome:
    stream = Stream(parts.train, seed, length.at_most)
    parts = replace(parts, train=stream)
    history, began, score, error = History(length.epochs, tell), time.monotonic(), math.nan, ""
    watching = watch(parts.model, parts.optimizer, parts.loss_fn, cost=WATCHING, tell=False) if watched else None
    try:
        with watching or nullcontext():
            (experiment.fit or own_fit)(parts, _Both(history, watching.log) if watching else history)
        score = score_of(experiment, parts)
    except KeyboardInterrupt:
        if watching is None:
            raise
        error = INTERRUPTED  # what was recorded until now is worth judging
    except Exception as failure:  # noqa: BLE001 - the user's model, loss, data and loop run in here
        error = one_line(failure)
    trace = watching.trace() if watching is not None else None
    seconds = time.monotonic() - began
    scheduled = parts.scheduler is not None
    drawn = stream.drawn, stream.samples, stream.passes
    return Outcome(score, *drawn, seconds, stream.per_pass, error, history.numbers, trace, scheduled)


def shortened(outcome: Outcome, experiment: Experiment, epochs: int) -> Outcome | None:
    """What a run of fewer epochs would have come to: the score its longer twin logged there. None where that is not
    known, or would not be the same: a user's loop or a schedule may look at how long the run is."""
    scores = outcome.numbers.get("val_score", [])
    if outcome.scheduled or experiment.score is not None or not _is_own_loop(experiment.fit) or len(scores) < epochs:
        return None
    return replace(outcome, score=scores[epochs - 1], seconds=0.0, drawn=0, samples=0, error="")


def _is_own_loop(fit: Fit | None) -> bool:
    if isinstance(fit, partial) and fit.func is own_fit:
        options = fit.keywords.get("options")
        return options is None or (options.patience is options.score is options.swa is None)
    return fit is None


class _Both:
    """A log that keeps what it is told in a history, and hands it to a watch."""

    def __init__(self, history: History, also: Tell) -> None:
        self.epochs = history.epochs
        self._history, self._also = history, also

    def __call__(self, **numbers: float) -> None:
        self._also(**numbers)
        self._history(**numbers)
