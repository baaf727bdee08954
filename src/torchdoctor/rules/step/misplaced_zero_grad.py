"""Gradients that are cleared between backward and the optimizer's step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "seen in two steps": Trace.of(grad_norm=[2.1, 2.2], step_grad_norm=[0.0, 0.0]),
    "a whole run": Trace.of(grad_norm=[2.0] * 30, step_grad_norm=[0.0] * 30, loss=[2.3] * 30),
}
QUIET = {
    "the optimizer gets what backward made": Trace.of(grad_norm=[2.0] * 9, step_grad_norm=[2.0] * 9),
    "clipped hard": Trace.of(grad_norm=[2000.0] * 9, step_grad_norm=[1e-3] * 9),
    "steps that a GradScaler skipped": Trace.of(
        grad_norm=[2.0] * 4, step_grad_norm=[0.0, 0.0, 2.0, 2.0], skipped_step=[1, 1, 0, 0]
    ),
    "there was no gradient to begin with": Trace.of(grad_norm=[0.0] * 9, step_grad_norm=[0.0] * 9),
}


@rule(
    "S02",
    kind="cause",
    severity=Severity.ERROR,
    needs=["grad_norm", "step_grad_norm"],
    explains=[
        "stalled-loss",
        "no-better-than-prior",
        "underfitting",
        "abnormal-update-ratio",
        "vanishing-gradients",
        "frozen-parameters",
        "missing-parameters",
        "detached-graph",
        "low-learning-rate",
        "too-few-epochs",
    ],
)
def misplaced_zero_grad(trace: Trace, *, often: float = 0.9) -> Iterator[Finding]:
    """Backward computes gradients, but they are gone when the optimizer steps.

    Why it hurts
        The optimizer sees gradients of zero or none at all: the weights stay where they are (or follow only weight
        decay and old momentum), while the loss and its gradients look perfectly normal.

    How it decides
        In `often` of the steps, two at least, the gradient norm after backward is above zero and the norm that the
        optimizer gets is exactly zero. Clipping makes a norm small, never zero. Steps that a GradScaler skipped, where
        no step was meant to happen, do not count.

    When it is wrong
        A user's own hook that clears gradients on purpose in nearly every step.

    References
        PyTorch forum, threads 102879, 130518 and 87348: zero_grad() called between backward() and step().
    """
    made, got = trace["grad_norm"], trace.taken("step_grad_norm")
    both = got.without(np.setdiff1d(got.steps, made.steps))
    if len(both) < 2:
        raise CannotSay(f"needs 2 recorded steps, got {len(both)}")
    steps, received, computed = both.steps, both.values, made.at(both.steps)
    lost = (computed > 0) & (received == 0)
    if np.mean(lost) < often:
        return
    yield Finding(
        f"Backward made gradients of norm {computed[-1]:.3g}, the optimizer got 0, in {int(np.sum(lost))} of "
        f"{len(steps)} recorded steps.",
        steps=(int(steps[0]), int(steps[-1])),
        confidence=0.97,
        evidence={"grad_norm": float(computed[-1]), "step_grad_norm": 0.0, "steps": len(steps)},
        fixes=(Remedy("use-own-loop"),),
    )
