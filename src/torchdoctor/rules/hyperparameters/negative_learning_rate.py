"""A learning rate below zero: the loss is driven up."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

FIRES = {
    "a linear schedule that goes on below zero": Trace.of(
        lr={"0": Series.of([0.1, 0.05, 0.0, -0.05, -0.1], every=100)}, loss=[1.0] * 420
    ),
    "set by hand, in one group": Trace.of(lr={"0": [0.1], "1": [-0.01]}, loss=[1.0] * 20),
}
QUIET = {
    "down to zero": Trace.of(lr={"0": [0.1, 0.05, 0.0]}),
    "constant": Trace.of(lr={"0": [0.1], "1": [1e-5]}),
    "a rate that is not a number": Trace.of(lr={"0": [float("nan")]}),
}


@rule(
    "H03",
    kind="cause",
    severity=Severity.ERROR,
    needs=["lr"],
    explains=["stalled-loss", "no-better-than-prior", "exploding-gradients", "non-finite-loss", "high-learning-rate",
              "too-many-epochs", "overfitting", "loss-spike", "oscillating-loss"],
)  # fmt: skip
def negative_learning_rate(trace: Trace) -> Iterator[Finding]:
    """The learning rate of a parameter group is below zero.

    Why it hurts
        Every step goes uphill. Optimizers refuse such a rate when they are made, but not when a schedule or a line of
        the loop sets it: a linear decay that is stepped beyond its end is the usual way.

    How it decides
        Any recorded learning rate below zero. The optimizer's own `maximize` is no learning rate.

    When it is wrong
        A loop that flips the sign on purpose to climb, as gradient reversal; weight decay then has the wrong sign too.

    References
        torch.optim.lr_scheduler.LambdaLR sets whatever its function returns.
    """
    for name, rates in trace.each("lr"):
        below = rates.values < 0
        if not below.any():
            continue
        since = int(rates.steps[below.argmax()])
        lowest = float(rates.values[below].min())
        yield Finding(
            f"The learning rate of group {name} is {lowest:.3g} from step {since} on.",
            steps=(since, max(since, trace.last_step)),
            confidence=0.98,
            evidence={"lowest": lowest, "first": rates.first, "group": name},
            fixes=(Remedy("drop-schedule"),) if len(rates) > 1 else (Remedy("set-learning-rate", {"lr": -lowest}),),
        )
