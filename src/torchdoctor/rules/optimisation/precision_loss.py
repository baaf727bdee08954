"""Half precision that overflows in step after step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _skipping(steps: list[int], of: int) -> Trace:
    return Trace.of({"steps": of}, skipped_step=Series.of([1.0] * len(steps), steps=steps), loss=[1.0] * of)


FIRES = {
    "every step is left out": _skipping(list(range(200)), 200),
    "every second one, to the end": _skipping(list(range(0, 200, 2)), 200),
}
QUIET = {
    "the scale is found in the first steps": _skipping(list(range(12)), 200),
    "once in a while, when the scale is raised": _skipping([0, 1, 2, 100, 180], 200),
    "none": Trace.of({"steps": 200}, skipped_step=Series.of([0.0] * 200), loss=[1.0] * 200),
}


@rule(
    "O16",
    kind="cause",
    needs=["skipped_step"],
    explains=["non-finite-loss", "non-finite-gradient", "stalled-loss", "no-better-than-prior", "underfitting",
              "exploding-gradients", "low-learning-rate"],
)  # fmt: skip
def precision_loss(trace: Trace, *, share: float = 0.2, steps: int = 50) -> Iterator[Finding]:
    """Half precision overflows all the time, so that steps are left out.

    Why it hurts
        A float16 ends at 65,504. A GradScaler that meets infinity leaves the step out and halves its scale; where the
        activations themselves overflow no scale helps, and nothing is learnt.

    How it decides
        In the second half of a run of `steps` steps at least, a share of `share` of them and more was left out. A
        scaler that works leaves out a handful at the start and then one in its growth interval (2,000 steps by
        default); `share` is a hundred times that and more.

    When it is wrong
        A growth interval of a few steps, set by hand.

    References
        P. Micikevicius et al., "Mixed Precision Training", 2018, section 3.2; D. Kalamkar et al., "A Study of BFLOAT16
        for Deep Learning Training", 2019.
    """
    skipped = trace["skipped_step"].finite()
    total = max(int(trace.facts.get("steps", 0)), trace.last_step + 1)
    if not len(skipped) or total < steps:
        raise CannotSay(f"needs {steps} steps with a GradScaler, got {total if len(skipped) else 0}")
    half = total // 2
    late = skipped.between(half, total).values
    left_out = float(np.sum(late > 0)) / max(1, total - half)
    if left_out < share:
        return
    yield Finding(
        f"{left_out:.0%} of the steps from step {half} on were left out, because gradients overflowed in half "
        "precision.",
        steps=(half, total - 1),
        confidence=0.9,
        evidence={"left_out": left_out, "steps": total},
        fixes=(Remedy("use-bfloat16"),),
    )
