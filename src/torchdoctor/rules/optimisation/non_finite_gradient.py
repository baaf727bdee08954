"""A gradient that is NaN or infinite under a loss that is finite."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_NAN = float("nan")
FIRES = {
    "the weights are lost in the next step": Trace.of(
        nonfinite_gradient={"fc1.weight": Series.of([1.0], steps=[3])}, loss=[2.0, 1.9, 1.8, 1.7, _NAN, _NAN]
    ),
    "only a hint: the loop stepped over it": Trace.of(
        nonfinite_gradient={"fc1.weight": Series.of([1.0], steps=[3])}, loss=np.linspace(2.0, 0.5, 60)
    ),
}
QUIET = {
    "finite": Trace.of(loss=[2.0, 1.9], grad_norm=[1.0, 1.1]),
    "no flag was raised": Trace.of(nonfinite_gradient={"fc1.weight": [0.0]}, loss=[2.0, 1.9]),
}


@rule(
    "O02",
    kind="symptom",
    severity=Severity.ERROR,
    needs=["nonfinite_gradient"],
    explains=["non-finite-loss", "stalled-loss", "no-better-than-prior", "dead-units", "saturated-units"],
)
def non_finite_gradient(trace: Trace, *, steps: int = 10) -> Iterator[Finding]:
    """Backward makes NaN or infinity of a finite loss.

    Why it hurts
        The loss still looks well, and the step that uses this gradient destroys the weights. The usual ways: a square
        root or a norm at zero, a logarithm at zero behind `torch.where` or a mask, 0/0 in a hand-written derivative.

    How it decides
        The watch looked at each parameter's gradient when their norm was first not finite while the loss was, and not
        in a step that a GradScaler left out. A hint where the loss stayed finite for `steps` steps and more afterwards:
        the loop does not use such gradients.

    When it is wrong
        Never as a statement; what it leads to hangs on the loop.

    References
        torch.autograd.detect_anomaly names the operation.
    """
    found = [(name, series) for name, series in trace.each("nonfinite_gradient") if (series.values > 0).any()]
    if not found:
        return
    step = min(int(series.steps[np.argmax(series.values > 0)]) for _, series in found)
    names = tuple(name for name, _ in found)
    after = trace["loss"].between(step + 1, max(step + 1, trace.last_step)).values
    harmless = len(after) >= steps and bool(np.isfinite(after).all())
    loss = trace["loss"].between(step, step).last
    shown = f" of {loss:.3g}" if np.isfinite(loss) else ""
    yield Finding(
        f"At step {step} the gradients of {len(names)} parameters are not finite, under a finite loss{shown}.",
        where=names,
        steps=(step, max(step, trace.last_step)),
        confidence=1.0,
        severity=Severity.INFO if harmless else Severity.ERROR,
        evidence={"parameters": len(names), "step": step},
    )
