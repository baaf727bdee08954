"""Batches so large that the run has few updates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

LEARNS = 0.3  # of the way of the best rate, as the rule on high rates has it
_GOOD = {"here x1": list(np.geomspace(2.3, 0.1, 60))}


def _run(steps: int, end: float, size: float, samples: float) -> Trace:
    return Trace.of(
        loss=np.linspace(2.3, end, steps),
        batch_size=size,
        samples={"train": samples},
        overfit_loss=_GOOD,
        prior_loss=2.3,
    )


FIRES = {
    "thirty updates in ten epochs": _run(30, 1.9, 512.0, 1500.0),
    "one update an epoch": _run(20, 2.1, 1000.0, 1000.0),
    "four updates in all": _run(4, 1.9, 1000.0, 1000.0),
}
QUIET = {
    "as few updates an epoch, and it has learnt": _run(150, 0.2, 512.0, 1500.0),
    "many small batches, cut short": _run(40, 1.9, 32.0, 1500.0),
    "a small set in one batch": _run(20, 2.1, 60.0, 60.0),
    "few steps, slower and slower": Trace.of(
        loss=0.35 + 0.15 * np.exp(-np.arange(12) / 4), batch_size=300.0, samples={"train": 300.0}, overfit_loss=_GOOD
    ),
    "hundreds of epochs": _run(900, 1.9, 512.0, 1500.0),
    "a batch is not learnt at this rate": Trace.of(
        loss=np.linspace(2.3, 1.9, 30), batch_size=512.0, samples={"train": 1500.0}, prior_loss=2.3,
        overfit_loss={"here x1": [2.3] * 60, "here x10": list(np.geomspace(2.3, 0.1, 60))},
    ),
}  # fmt: skip


@rule(
    "H05",
    kind="cause",
    needs=["loss", "batch_size", "samples", "overfit_loss"],
    explains=["too-few-epochs", "underfitting", "no-better-than-prior", "stalled-loss"],
)
def large_batch(
    trace: Trace, *, size: float = 128, updates: float = 8, steps: int = 200, left: float = 0.5
) -> Iterator[Finding]:
    """The batches are so large that the whole run has only few updates, and it ended on its way down.

    Why it hurts
        An epoch costs the same time in few large steps as in many small ones, and small networks on small data learn
        by the step: at eight updates an epoch ten epochs are less than what one epoch of small batches is.

    How it decides
        Batches of `size` samples at least, at most `updates` of them in an epoch and `steps` in the run; the loss ended
        above `left` of the best constant answer (or of where it began, if that is not known), and it fell in the last
        quarter of the run by a hundredth of that and about as fast as ever; and one batch is learnt at this rate, 0.3
        of the way of the best at least, so that the rate and the network are not at fault. All are first guesses. More
        epochs would do as well, at more cost.

    When it is wrong
        Steps that are many in one (LBFGS), where these few have not been enough yet.

    References
        D. Masters, C. Luschi, "Revisiting Small Batch Training for Deep Neural Networks", 2018.
    """
    loss, batch, samples = trace.taken("loss").finite(), trace.value("batch_size"), trace.value("samples", "train")
    if not batch or not samples or not math.isfinite(samples / batch) or len(loss) < 4:
        raise CannotSay(f"needs 4 steps and the number of samples, got {len(loss)} steps")
    rates = Rates.of(trace)
    if batch < size or samples / batch > updates or len(loss) > steps or not _learns(rates):
        return
    prior = trace.value("prior_loss")
    begin = prior if prior is not None and prior > 0 else loss.first
    falls, end = _falls(loss), loss.tail(len(loss) // 4).median()
    if not begin > 0 or not end > left * begin or not falls[-1] > max(0.01 * begin, 0.7 * max(falls)):
        return
    yield Finding(
        f"Batches of {batch:.0f} from {samples:.0f} samples made {len(loss)} updates in all; the loss ended at "
        f"{end:.3g} and was still falling.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.65,
        evidence={"batch_size": batch, "samples": samples, "updates": len(loss), "loss_at_end": end},
        fixes=(Remedy("set-batch-size", {"batch_size": 32}), Remedy("more-epochs", {"factor": 4})),
    )


def _learns(rates: Rates) -> bool:
    """At the planned rate, if not as fast as at the best: a batch once in an epoch is no fault of the rate."""
    planned = rates.planned
    return planned is not None and rates.learnable and planned.smooth and planned.fallen >= LEARNS


def _falls(loss: Series) -> list[float]:
    """From each quarter of the run to the next, by medians."""
    levels = [float(np.median(part)) for part in np.array_split(loss.values, 4)]
    return [a - b for a, b in pairwise(levels)]
