"""A sum over the batch where a mean was meant."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_NAN = math.nan
FIRES = {
    "the batch is lost at the planned rate and learnt at a hundredth": Trace.of(
        doubled_loss_ratio=2.0, batch_size=64,
        overfit_loss={"here x1": [70, 1e3, 1e9, _NAN], "here x0.1": [70, 90, 80, 75], "here x0.01": [70, 20, 3, 1]},
    ),
    "it jumps about at the planned rate": Trace.of(
        doubled_loss_ratio=1.999, overfit_loss={"here x1": [30, 90, 200, 28], "here x0.1": [30, 9, 4, 2]}
    ),
    "a sum with a rate that suits it: a hint": Trace.of(
        doubled_loss_ratio=2.0, overfit_loss={"here x1": [70, 20, 3, 1], "here x0.1": [70, 60, 50, 40]}
    ),
}  # fmt: skip
QUIET = {
    "a mean with a rate that is too high": Trace.of(
        doubled_loss_ratio=1.0, overfit_loss={"here x1": [2.3, 30, 1e3, _NAN], "here x0.1": [2.3, 1, 0.4, 0.1]}
    ),
    "a loss that compares pairs": Trace.of(doubled_loss_ratio=1.18),
    "the loss cannot be doubled": Trace.of(doubled_loss_ratio=_NAN),
}


@rule(
    "L03",
    kind="cause",
    severity=Severity.INFO,
    needs=["doubled_loss_ratio"],
    explains=[
        "high-learning-rate", "exploding-gradients", "non-finite-loss", "non-finite-gradient", "oscillating-loss",
        "loss-spike", "stalled-loss", "no-better-than-prior", "underfitting", "dead-units", "abnormal-update-ratio",
        "tight-clipping",
    ],
)  # fmt: skip
def summed_loss(trace: Trace, *, near: float = 0.02) -> Iterator[Finding]:
    """The loss is the sum over the samples of a batch, so every step is as many times longer as the batch is large.

    Why it hurts
        A learning rate that suits a mean is then too high by the size of the batch, another batch size needs another
        rate, and the last, smaller batch of an epoch makes a smaller step.

    How it decides
        A batch that is given twice over has twice the loss, to `near`. That alone is a hint, since a rate may be chosen
        for sums and some optimizers divide the size of gradients out. It is an alarm when the planned rate loses one
        batch (the loss ends above 0.9 of its start, more than doubles on the way, or is no number) and a tenth of the
        rate or less learns it down to 0.5 of its loss.

    When it is wrong
        A rate that would be too high for the mean as well; a mean makes it smaller all the same.

    References
        None; a sum of N terms has N times the gradient of their mean.
    """
    ratio = trace.value("doubled_loss_ratio")
    if ratio is None or not abs(ratio - 2) <= near:
        return
    rates = Rates.of(trace)
    planned = rates.planned
    lost = planned is not None and (not planned.smooth or not planned.last < 0.9 * rates.begin)
    slower = [c for c in rates.curves if c.factor < 1 and c.last < 0.5 * rates.begin]
    size = trace.value("batch_size")
    many = f" of {size:.0f}" if size is not None and size > 1 else ""
    told = f"The loss is a sum over the batch{many}"
    if lost and slower:
        message = f"{told}: the planned rate loses one batch, {slower[-1].factor:g} of it learns it."
    else:
        message = f"{told}: twice the batch has {ratio:.3g} times the loss, so its size sets the step."
    yield Finding(
        message,
        confidence=0.9 if lost and slower else 0.6,
        severity=Severity.WARNING if lost and slower else Severity.INFO,
        evidence={"doubled_loss_ratio": ratio},
        fixes=(Remedy("average-loss"),),
    )
