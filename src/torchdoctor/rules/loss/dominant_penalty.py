"""A penalty, on the weights or on the outputs, that outweighs what the data say."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "an L1 penalty that pulls forty times as hard": Trace.of(penalty_gradient=40.0),
    "five times": Trace.of(penalty_gradient=5.0),
    "about as hard: a hint": Trace.of(penalty_gradient=1.4),
    "a summed divergence beside averaged pixels": Trace.of(penalty_gradient=0.0, aimless_gradient=350.0),
}
QUIET = {
    "a divergence summed like the pixels": Trace.of(penalty_gradient=0.0, aimless_gradient=0.14),
    "a term that pulls a few times as hard until it is met": Trace.of(aimless_gradient=4.0),
    "no penalty": Trace.of(penalty_gradient=0.0),
    "a hundredth of the data's pull": Trace.of(penalty_gradient=0.01),
}


@rule(
    "L05",
    kind="cause",
    severity=Severity.WARNING,
    needs=["penalty_gradient|aimless_gradient"],
    explains=[
        "underfitting", "stalled-loss", "no-better-than-prior", "vanishing-gradients", "dead-units",
        "strong-regularization", "low-learning-rate", "high-learning-rate", "oscillating-loss",
    ],
)  # fmt: skip
def dominant_penalty(
    trace: Trace, *, hint: float = 1.0, alarm: float = 3.0, drowned: float = 10.0
) -> Iterator[Finding]:
    """What the loss adds beside the error pulls at the weights harder than the data do.

    Why it hurts
        The weights go where the penalty is small, which is zero, and what the data say moves them only until the two
        pulls are equal: far from a fit.

    How it decides
        The gradient that is left when the outputs are held fixed comes from the penalty; the rest comes through the
        outputs. A hint when the first is longer than `hint` times the second before training, an alarm from `alarm`
        times on. Before training the data pull hardest, so a penalty that wins then wins always. That it must not
        exceed the data's is a rule of thumb of practitioners; the factor of `alarm` is a first guess.
        Terms that the loss adds up and that do not change with the targets (the divergence of a variational
        autoencoder) are held against those that do: an alarm from `drowned` times on. A divergence that is reduced like
        the error has about a tenth of its pull at the start, one that is summed beside a mean hundreds of times.

    When it is wrong
        A model that starts at a fit already, whose data have nothing left to say.

    References
        A. Karpathy et al., course notes CS231n, "Neural networks part 3", on sanity checks of the regulariser.
    """
    ratio, aimless = trace.value("penalty_gradient"), trace.value("aimless_gradient")
    on_weights = ratio is not None and ratio >= hint  # then the same penalty is among the terms
    if aimless is not None and aimless >= drowned and not on_weights:
        yield Finding(
            f"The terms of the loss that do not look at the targets pull {aimless:.3g} times as hard as those that do "
            "(one summed, the other a mean?).",
            confidence=0.85,
            severity=Severity.WARNING,
            evidence={"aimless_gradient": aimless},
        )
        return
    if ratio is None or not ratio >= hint:
        return
    yield Finding(
        f"The penalty in the loss pulls at the weights {ratio:.3g} times as hard as the data do, before any training.",
        confidence=0.85 if ratio >= alarm else 0.5,
        severity=Severity.WARNING if ratio >= alarm else Severity.INFO,
        evidence={"penalty_gradient": ratio},
        fixes=(Remedy("drop-penalty"),),
    )
