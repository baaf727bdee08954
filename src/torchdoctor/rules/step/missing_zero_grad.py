"""Gradients that add up from step to step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "seen after three steps": Trace.of(stale_grad_norm=[0.0, 1.3, 1.9], grad_norm=[1.3, 1.9, 2.2]),
    "all of a longer run": Trace.of(
        stale_grad_norm=[0.0] + [float(k) for k in range(1, 40)], grad_norm=[float(k) for k in range(1, 41)]
    ),
}
QUIET = {
    "cleared before every backward": Trace.of(stale_grad_norm=[0.0] * 10, grad_norm=[1.0] * 10),
    "kept once, by a warm-up step before the loop": Trace.of(stale_grad_norm=[1.0] + [0.0] * 9, grad_norm=[1.0] * 10),
    "all but cleared: a trace of rounding": Trace.of(stale_grad_norm=[0.0] + [1e-9] * 9, grad_norm=[1.0] * 10),
    "a dead network has nothing to keep": Trace.of(stale_grad_norm=[0.0] * 10, grad_norm=[0.0] * 10),
}


@rule(
    "S01",
    kind="cause",
    severity=Severity.ERROR,
    needs=["stale_grad_norm", "grad_norm"],
    explains=[
        "stalled-loss",
        "no-better-than-prior",
        "oscillating-loss",
        "loss-spike",
        "exploding-gradients",
        "non-finite-loss",
        "non-finite-gradient",
        "abnormal-update-ratio",
        "dead-units",
        "saturated-units",
        "underfitting",
        "overfitting",
        "high-learning-rate",
    ],
)
def missing_zero_grad(trace: Trace, *, share: float = 0.05, often: float = 0.9) -> Iterator[Finding]:
    """The gradients of one step are still there when the next one begins, so they add up.

    Why it hurts
        Every step follows the sum of all gradients since the run began, most of them computed for weights that are
        long gone. It acts like a momentum of 1 and a learning rate that grows: the loss swings or rises.

    How it decides
        When a step's first backward pass begins, the gradients the optimizer left behind should be gone. They count
        as kept when their norm is at least `share` of the norm after backward, and the rule speaks when that is so
        in `often` of the recorded steps after the first. Gradient accumulation is no offence: its backward passes
        lie between two optimizer steps. 0.05 separates rounding from gradients that were really kept (near 1); a
        single step in ten may lack the kept gradient because it cancelled by chance.

    When it is wrong
        A loop that keeps a share of the old gradient on purpose, as a momentum of its own.

    References
        torch.optim.Optimizer.zero_grad in the PyTorch documentation; PyTorch forum, threads 18833, 42224 and 75756.
    """
    stale, norm = trace["stale_grad_norm"], trace["grad_norm"]
    after = np.flatnonzero(stale.steps > stale.steps[:1])
    if not len(after) or not len(norm):
        raise CannotSay(f"needs 2 recorded steps, got {min(len(stale), len(norm))}")
    total = np.interp(stale.steps[after], norm.steps, norm.values)
    kept = stale.values[after] > share * np.abs(total)
    if np.mean(kept) < often:
        return
    yield Finding(
        f"The gradients are never cleared: of their norm of {total[-1]:.3g} at step {stale.steps[-1]}, "
        f"{stale.values[-1]:.3g} was there before backward.",
        steps=(int(stale.steps[after[0]]), int(stale.steps[-1])),
        confidence=0.99 if len(after) > 1 else 0.9,
        evidence={"stale_grad_norm": float(stale.values[-1]), "grad_norm": float(total[-1]), "steps": len(after)},
        fixes=(Remedy("use-own-loop"),),
    )
