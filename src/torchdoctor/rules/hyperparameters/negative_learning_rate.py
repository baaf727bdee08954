"""A learning rate below zero: the loss is driven up."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_UPHILL = {"optimizer": {"type": "SGD", "groups": [{"lr": 0.1, "maximize": True}]}}
FIRES = {
    "a linear schedule that goes on below zero": Trace.of(
        lr={"0": Series.of([0.1, 0.05, 0.0, -0.05, -0.1], every=100)}, loss=[1.0] * 420
    ),
    "set by hand, in one group": Trace.of(lr={"0": [0.1], "1": [-0.01]}, loss=[1.0] * 20),
    "an optimizer that makes a loss large": Trace.of(_UPHILL, agreeing_loss=0.03, disagreeing_loss=3.0),
}
QUIET = {
    "an optimizer that makes a score large": Trace.of(_UPHILL, agreeing_loss=0.9, disagreeing_loss=0.1),
    "down to zero": Trace.of(lr={"0": [0.1, 0.05, 0.0]}),
    "constant": Trace.of(lr={"0": [0.1], "1": [1e-5]}),
    "a rate that is not a number": Trace.of(lr={"0": [float("nan")]}),
}


@rule(
    "H03",
    kind="cause",
    severity=Severity.ERROR,
    needs=["lr|agreeing_loss"],
    explains=["stalled-loss", "no-better-than-prior", "exploding-gradients", "non-finite-loss", "high-learning-rate",
              "too-many-epochs", "overfitting", "loss-spike", "oscillating-loss"],
)  # fmt: skip
def negative_learning_rate(trace: Trace, *, margin: float = 0.1) -> Iterator[Finding]:
    """The learning rate of a parameter group is below zero, or the optimizer climbs on purpose what should fall.

    Why it hurts
        Every step goes uphill. Optimizers refuse such a rate when they are made, but not when a schedule or a line of
        the loop sets it: a linear decay that is stepped beyond its end is the usual way.

    How it decides
        Any recorded learning rate below zero. Or the optimizer's `maximize` is set, and outputs that say the targets
        have a smaller loss than outputs that say something else, by `margin` of the larger, as wrong-loss compares
        them: then what is made large is an error and no score.

    When it is wrong
        A loop that flips the sign on purpose to climb, as gradient reversal; weight decay then has the wrong sign too.

    References
        torch.optim.lr_scheduler.LambdaLR sets whatever its function returns.
    """
    if (uphill := _uphill(trace, margin)) is not None:
        yield uphill
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


def _uphill(trace: Trace, margin: float) -> Finding | None:
    agree, other = trace.value("agreeing_loss"), trace.value("disagreeing_loss")
    groups = trace.facts.get("optimizer", {}).get("groups", [])
    if agree is None or other is None or not any(g.get("maximize") for g in groups):
        return None
    if not other - agree > margin * max(abs(agree), abs(other)):
        return None
    return Finding(
        f"The optimizer makes the loss large (maximize), and the loss is {agree:.3g} where the outputs are right and "
        f"{other:.3g} where they are wrong.",
        confidence=0.95,
        evidence={"agreeing_loss": agree, "disagreeing_loss": other},
    )
