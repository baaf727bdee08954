"""Regression targets of a size that the outputs have far to go to."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_KIND = {"targets": {"kind": "continuous"}}
FIRES = {
    "house prices in dollars": Trace.of(
        _KIND, target_mean=2.1e5, target_std=1.2e5, output_mean=0.02, output_std=0.1, start_loss=5.8e10,
        target_as_output_loss=0.0,
    ),
    "passengers in hundreds": Trace.of(
        _KIND, target_mean=280.0, target_std=120.0, output_mean=0.1, output_std=0.2, start_loss=9.2e4,
        target_as_output_loss=0.0,
    ),
    "far away, though they hardly vary": Trace.of(
        _KIND, target_mean=1013.0, target_std=7.0, output_mean=0.0, output_std=0.3, start_loss=1e6,
        target_as_output_loss=0.0,
    ),
}  # fmt: skip
QUIET = {
    "standardised": Trace.of(
        _KIND, target_mean=0.0, target_std=1.0, output_mean=0.0, output_std=0.3, start_loss=1.1,
        target_as_output_loss=0.0,
    ),
    "a model that answers in the data's own units": Trace.of(
        _KIND, target_mean=280.0, target_std=120.0, output_mean=275.0, output_std=40.0, start_loss=1.6e4,
        target_as_output_loss=0.0,
    ),
    "counts behind an exponential": Trace.of(
        _KIND, target_mean=900.0, target_std=100.0, output_mean=0.0, output_std=0.3, start_loss=1.0,
        target_as_output_loss=float("inf"),
    ),
    "classes": Trace.of(
        {"targets": {"kind": "classes"}}, target_mean=450.0, target_std=280.0, output_mean=0.0, output_std=0.3,
        start_loss=6.9, target_as_output_loss=0.0,
    ),
}  # fmt: skip


@rule(
    "D02",
    kind="cause",
    needs=["target_std", "output_std", "target_as_output_loss", "start_loss"],
    explains=[
        "exploding-gradients", "non-finite-loss", "non-finite-gradient", "stalled-loss", "no-better-than-prior",
        "dead-units", "oscillating-loss", "underfitting", "loss-spike", "low-learning-rate",
    ],
)  # fmt: skip
def unscaled_targets(trace: Trace, *, hint: float = 10, far: float = 50, hopeless: float = 1000) -> Iterator[Finding]:
    """The targets lie far from the outputs at the start, counted in the outputs' own size.

    Why it hurts
        An untrained net answers with numbers about zero and of size one or less. Until its last bias has walked to the
        targets' mean, the gradients are the size of that distance: too large for every other weight, and with an
        adaptive optimizer the walk takes distance / learning rate steps.

    How it decides
        Distance = root mean square of (target - mean output at the start), over the standard deviation of the outputs
        or 1, whichever is larger (1 is what the usual initial weights are made for). A hint from `hint`, a warning
        from `far`, an error from `hopeless`. Only where the targets themselves, fed as outputs, bring the loss under a
        hundredth of what it is at the start: behind an exponential or a quantile the outputs need not go there.

    When it is wrong
        A model that scales its outputs by a learnt factor which starts small.

    References
        First guesses for the thresholds: targets of size 20 are learnt at usual rates, those of size 300 are not.
    """
    if trace.facts.get("targets", {}).get("kind", "continuous") != "continuous":
        return
    as_output, start = trace.value("target_as_output_loss"), trace.value("start_loss")
    # The first values: in a run that was watched as well, the last outputs have long reached the targets.
    signals = ("target_mean", "target_std", "output_mean", "output_std")
    mean, std, output_mean, output_std = (trace[s].first for s in signals)
    if as_output is None or start is None or not math.isfinite(mean + std + output_mean + output_std):
        raise CannotSay("the targets or the first outputs are not finite")
    if not as_output < 0.01 * abs(start):
        return
    distance = math.hypot(mean - output_mean, std) / max(1.0, output_std)
    if distance < hint:
        return
    severity = Severity.ERROR if distance >= hopeless else Severity.WARNING if distance >= far else Severity.INFO
    yield Finding(
        f"Targets of {mean:.3g} +- {std:.2g} lie {distance:.3g} times the outputs' size away from the outputs at the "
        f"start ({output_mean:.2g} +- {output_std:.2g}).",
        severity=severity,
        confidence=min(0.95, 0.55 + 0.15 * math.log10(distance)),
        evidence={"target_mean": mean, "target_std": std, "output_mean": output_mean, "output_std": output_std,
                  "distance": distance},
        fixes=(Remedy("standardize-targets"),),
    )  # fmt: skip
