"""So much dropout that nothing is learnt."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.brakes import freed, outdone
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _runs(planned: float, free: float, share: float) -> Trace:
    runs = {"as planned": planned, "no dropout": free}
    return Trace.of(
        brakeless_loss={k: Series.of([2.3, v], steps=[0, 120]) for k, v in runs.items()}, dropout_share=share
    )


FIRES = {
    "eight tenths, three times": _runs(2.29, 0.11, 0.8),
    "a third of the way, a hint": _runs(1.5, 0.11, 0.7),
}
QUIET = {
    "a half, and it learns": _runs(0.22, 0.05, 0.5),
    "nothing is learnt without it either": _runs(2.3, 2.29, 0.8),
    "not finite": _runs(float("nan"), float("inf"), 0.8),
}


@rule(
    "H07",
    kind="cause",
    needs=["brakeless_loss", "dropout_share"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs", "low-learning-rate",
              "oscillating-loss", "badly-scaled-init"],
)  # fmt: skip
def strong_dropout(trace: Trace, *, share: float = 0.25, hint: float = 0.5) -> Iterator[Finding]:
    """Dropout leaves so little of each layer that the network does not learn.

    Why it hurts
        With eight tenths of the units gone, three times in a row, one path in a hundred and twenty-five is left: the
        gradient is nearly all noise, and the whole network never sees what it is judged by.

    How it decides
        By experiment: the same few batches, the same steps, with dropout as planned and with none; the loss of both is
        taken with dropout off. Of the way that the steps go without dropout they go less than `share` with it: a
        warning; less than `hint`: a hint. Where the loss does not come to half without dropout either, half
        of these shares count, and nothing is said where it does not come to 0.8. Healthy networks with dropout of 0.1
        to 0.5 went 0.85 to 1 of the way, such with 0.8 and more 0.01 to 0.03.

        In a run that was watched also when its best validation loss is far above (by the factor 1 / 0.7, a first guess)
        what a short race without dropout and decay comes to on samples kept back, and dropout slows these steps.

    When it is wrong
        Networks so wide that they learn with nine tenths dropped, only later than the experiment is long.

    References
        N. Srivastava et al., "Dropout", 2014, section 7.3: best kept between 0.4 and 0.8 of the units.
    """
    found, dropped = freed(trace, "no dropout"), trace.value("dropout_share")
    if found is None or dropped is None:
        return
    if (beaten := outdone(trace, "no dropout")) is not None:
        yield Finding(
            f"With dropout of up to {dropped:.2g} the whole run's validation loss comes to {beaten[1]:.3g}; a few "
            f"hundred steps without any brake come to {beaten[0]:.3g} on samples they never saw.",
            confidence=0.85,
            severity=Severity.WARNING,
            evidence={"best_of_run": beaten[1], "without": beaten[0], "dropout": dropped},
            fixes=(Remedy("weaken-dropout"),),
        )
        return
    if not found.below(hint):
        return
    yield Finding(
        f"In {found.steps} steps the loss goes from {found.first:.3g} to {found.planned:.3g} with dropout of up to "
        f"{dropped:.2g}, and to {found.free:.3g} without.",
        confidence=0.9 if found.below(share) else 0.5,
        severity=Severity.WARNING if found.below(share) else Severity.INFO,
        evidence={"first": found.first, "with_dropout": found.planned, "without": found.free, "dropout": dropped},
        fixes=(Remedy("weaken-dropout"),),
    )
