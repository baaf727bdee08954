"""A penalty on the weights that outweighs what the data say."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "an L1 penalty that pulls forty times as hard": Trace.of(penalty_gradient=40.0),
    "five times": Trace.of(penalty_gradient=5.0),
    "about as hard: a hint": Trace.of(penalty_gradient=1.4),
}
QUIET = {
    "no penalty": Trace.of(penalty_gradient=0.0),
    "a hundredth of the data's pull": Trace.of(penalty_gradient=0.01),
}


@rule(
    "L05",
    kind="cause",
    severity=Severity.WARNING,
    needs=["penalty_gradient"],
    explains=[
        "underfitting", "stalled-loss", "no-better-than-prior", "vanishing-gradients", "dead-units",
        "strong-regularization", "low-learning-rate", "high-learning-rate", "oscillating-loss",
    ],
)  # fmt: skip
def dominant_penalty(trace: Trace, *, hint: float = 1.0, alarm: float = 3.0) -> Iterator[Finding]:
    """The penalty that the loss adds for the weights pulls at them harder than the data do.

    Why it hurts
        The weights go where the penalty is small, which is zero, and what the data say moves them only until the two
        pulls are equal: far from a fit.

    How it decides
        The gradient that is left when the outputs are held fixed comes from the penalty; the rest comes through the
        outputs. A hint when the first is longer than `hint` times the second before training, an alarm from `alarm`
        times on. Before training the data pull hardest, so a penalty that wins then wins always. That it must not
        exceed the data's is a rule of thumb of practitioners; the factor of `alarm` is a first guess.

    When it is wrong
        A model that starts at a fit already, whose data have nothing left to say.

    References
        A. Karpathy et al., course notes CS231n, "Neural networks part 3", on sanity checks of the regulariser.
    """
    ratio = trace.value("penalty_gradient")
    if ratio is None or not ratio >= hint:
        return
    yield Finding(
        f"The penalty in the loss pulls at the weights {ratio:.3g} times as hard as the data do, before any training.",
        confidence=0.85 if ratio >= alarm else 0.5,
        severity=Severity.WARNING if ratio >= alarm else Severity.INFO,
        evidence={"penalty_gradient": ratio},
        fixes=(Remedy("drop-penalty"),),
    )
