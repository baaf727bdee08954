"""Gradient clipping that shortens every step to nearly nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]


def _run(grad: float, received: float, ratio: float, end: float) -> Trace:
    """500 steps; what the optimizer got is known of the sampled ones."""
    return Trace.of(
        {"parameters": {"fc.weight": {"shape": [64, 32], "trainable": True, "in_optimizer": 1}}},
        loss=np.linspace(2.3, end, 500), grad_norm=[grad] * 500,
        step_grad_norm=Series.of([received] * 10, steps=_STEPS),
        update_ratio={"fc.weight": Series.of([ratio] * 10, steps=_STEPS)},
    )  # fmt: skip


FIRES = {
    "a thousandth of every gradient is left": _run(2.0, 2e-3, 5e-6, 2.29),
    "only a hint: each step is clipped, and it learns": _run(20.0, 0.5, 1e-3, 0.4),
}
QUIET = {
    "no clipping": _run(2.0, 2.0, 5e-6, 2.29),
    "most steps stay as they are": _run(2.0, 1.99, 1e-3, 0.4),
    "cleared before the step": _run(2.0, 0.0, 0.0, 2.3),
}


@rule(
    "H10",
    kind="cause",
    needs=["grad_norm", "step_grad_norm"],
    explains=["low-learning-rate", "stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs",
              "abnormal-update-ratio", "vanishing-gradients"],
)  # fmt: skip
def tight_clipping(
    trace: Trace, *, nearly_all: float = 0.9, left: float = 0.1, travel: float = 0.05, least: int = 5
) -> Iterator[Finding]:
    """Clipping shortens nearly every gradient, and the weights hardly move.

    Why it hurts
        A limit is there for the rare long step. One that cuts every step only makes the learning rate smaller, by a
        factor that nobody chose, and takes away the gradients' own way of growing small towards the end.

    How it decides
        What the optimizer got over what backward left, on `least` sampled steps at least: in `nearly_all` of them under
        a nine tenths, a hint. A warning where the median is under `left` as well, and the weight matrices moved, all
        steps taken together and pointing the same way, by less than `travel` of their length, and the loss fell by less
        than half: an optimizer that divides by the gradient's own size does not feel a clipping. In 200 steps healthy
        runs went 0.03 to 12 of their length.

    When it is wrong
        Differentially private training clips every sample on purpose.

    References
        R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training Recurrent Neural Networks", 2013: a threshold
        of half to ten times the average norm.
    """
    given, received = trace["grad_norm"].finite(), trace["step_grad_norm"].finite()
    received = received.between(0, int(given.steps[-1])) if len(given) else received.head(0)
    if len(received) < least:
        raise CannotSay(f"needs {least} sampled steps, got {len(received)}")
    norms = given.at(received.steps)
    if not (norms > 0).all() or not (received.values > 0).all():
        return
    kept = received.values / norms
    if np.mean(kept < 0.9) < nearly_all:
        return
    middle, loss, walked = float(np.median(kept)), trace.taken("loss").finite(), _walked(trace)
    harmful = middle < left and walked < travel and len(loss) >= 50 and loss.fallen() < 0.5
    yield Finding(
        f"Clipping leaves {middle:.2g} of the gradient's length in the middle, from {float(np.median(norms)):.3g} to "
        f"{received.median():.3g}, in {np.mean(kept < 0.9):.0%} of the steps.",
        steps=(int(received.steps[0]), int(received.steps[-1])),
        confidence=0.85 if harmful else 0.5,
        severity=Severity.WARNING if harmful else Severity.INFO,
        evidence={"left": middle, "clipped_share": float(np.mean(kept < 0.9)), "travel": walked},
        fixes=(Remedy("loosen-clipping", {"max_norm": float(f"{10 * float(np.median(norms)):.2g}")}),),
    )


def _walked(trace: Trace) -> float:
    """How far the median weight matrix came at most, in its own lengths; infinity when that is not known."""
    shapes = trace.facts.get("parameters", {})
    each = [s.median() for name, s in trace.each("update_ratio") if len(shapes.get(name, {}).get("shape", [])) > 1]
    known = [r for r in each if np.isfinite(r)]
    return float(np.median(known)) * len(trace["loss"]) if known else float("inf")
