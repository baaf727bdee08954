"""A loss that is NaN or infinite, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_NAN, _INF = float("nan"), float("inf")
FIRES = {
    "NaN from step 3 on, made by a layer": Trace.of(
        loss=[2.0, 1.9, 1.8, _NAN, _NAN], grad_norm=[1.0, 9.0, 900.0, _NAN, _NAN],
        nonfinite_module={"block.log": [1.0]},
    ),
    "infinite at the first step": Trace.of(loss=[_INF, _INF], nonfinite_module={"input": [1.0]}),
    "once in a hundred steps, and gone again": Trace.of(loss=[1.0] * 50 + [_NAN] + [0.9] * 50),
}  # fmt: skip
QUIET = {
    "finite": Trace.of(loss=[2.0, 1.9, 1.8]),
    "negative is fine": Trace.of(loss=[-1.0, -2.0]),
    "a GradScaler tries its scale and skips the step": Trace.of(
        loss=[_INF, _INF, 2.0, 1.9, 1.8, 1.7], skipped_step=[1, 1, 0, 0, 0, 0]
    ),
}
OUTSIDE = {"input": "the input itself", "loss_fn": "the loss function"}


@rule(
    "O01",
    kind="symptom",
    severity=Severity.ERROR,
    needs=["loss"],
    explains=["stalled-loss", "no-better-than-prior", "non-finite-gradient", "dead-units", "saturated-units"],
)
def non_finite_loss(trace: Trace, *, rare: float = 0.02) -> Iterator[Finding]:
    """The loss is NaN or infinite.

    Why it hurts
        After the next update every weight is NaN, and nothing is learnt from then on.

    How it decides
        Any recorded loss that is not finite, except in steps that a GradScaler skipped: there the weights were kept.
        The first module whose output was not finite (or the input, or the loss function) is named where the watch
        repeated the forward pass to find it. When the loss came back by itself and at most `rare` of the steps were
        hit, it is a hint: loops that step over a bad batch do that. 0.02 is a first guess.

    When it is wrong
        A loss that is NaN by design for an empty batch and is not back-propagated.

    References
        P. Micikevicius et al., "Mixed Precision Training", 2018, section 3.2, for the skipped steps.
    """
    loss = trace.taken("loss")
    bad = ~np.isfinite(loss.values)
    if not bad.any():
        return
    at = int(np.argmax(bad))
    step, came_back = int(loss.steps[at]), bool(np.isfinite(loss.last))
    source = _source(trace)
    origin = f"; the first to put out such values is {OUTSIDE.get(source, source)}" if source else ""
    yield Finding(
        f"The loss is {loss.values[at]} at step {step}{origin}.",
        where=(source,) if source and source not in OUTSIDE else (),
        steps=(step, int(loss.steps[-1])),
        confidence=1.0,
        severity=Severity.INFO if came_back and np.mean(bad) <= rare else Severity.ERROR,
        evidence={"share_of_steps": float(np.mean(bad)), **({"source": source} if source else {})},
        fixes=_fixes(trace, at),
    )


def _source(trace: Trace) -> str:
    """The module that was seen first to put out NaN or infinity; "" when nobody looked."""
    seen = [(int(s.steps[0]), i, name) for i, (name, s) in enumerate(trace.each("nonfinite_module")) if len(s)]
    return min(seen)[2].partition(":")[0] if seen else ""


def _fixes(trace: Trace, at: int) -> tuple[Remedy, ...]:
    """A loss that was finite before has been driven there by the steps; one that never was has not."""
    if at == 0:
        return ()
    early = trace["grad_norm"].head(min(at, 20)).median()
    clip = (Remedy("clip-gradients", {"max_norm": float(f"{early:.2g}")}),) if 0 < early < np.inf else ()
    return (Remedy("set-learning-rate", {"factor": 0.1}), *clip)
