"""Softmax or sigmoid twice: once in the model, once in the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.outputs import Outputs, place
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_SOFTMAX: dict[str, Any] = {
    "loss_takes_logits": 1,
    "loss_compares_classes": 1,
    "reachable_min": 0.0,
    "reachable_max": 1.0,
    "reachable_row_sum_spread": 4e-7,
}
_SIGMOID: dict[str, Any] = {
    "loss_takes_logits": 1,
    "loss_compares_classes": 0,
    "reachable_min": 0.0,
    "reachable_max": 1.0,
    "reachable_row_sum_spread": 1.0,
}
_SCORES: dict[str, Any] = {
    "reachable_min": float("-inf"),
    "reachable_max": float("inf"),
    "reachable_row_sum_spread": 2600.0,
}
FIRES = {
    "softmax before cross-entropy, ten classes": Trace.of(
        attainable_loss=1.461, free_loss=0.0, prior_loss=2.303, **_SOFTMAX
    ),
    "softmax before cross-entropy, two classes": Trace.of(
        attainable_loss=0.313, free_loss=0.0, prior_loss=0.693, **_SOFTMAX
    ),
    "sigmoid before binary cross-entropy of logits": Trace.of(
        attainable_loss=0.503, free_loss=0.0, prior_loss=0.693, **_SIGMOID
    ),
    "one sample, for which a constant is as good as anything": Trace.of(
        attainable_loss=0.567, free_loss=0.0, prior_loss=0.0, start_loss=0.767, **_SIGMOID
    ),
}
QUIET = {
    "logits into cross-entropy": Trace.of(
        loss_takes_logits=1, loss_compares_classes=1, attainable_loss=0.0, free_loss=0.0, prior_loss=2.303, **_SCORES
    ),
    "softmax under squared error against one-hot rows": Trace.of(
        attainable_loss=1e-7, free_loss=2e-7, prior_loss=0.089, **{**_SOFTMAX, "loss_takes_logits": 0}
    ),
    "softmax under a margin loss, which it can satisfy": Trace.of(
        attainable_loss=1e-4, free_loss=0.0, prior_loss=0.9, **_SOFTMAX
    ),
    "one class in the batch, and no start: nothing can be said": Trace.of(
        attainable_loss=1.461, free_loss=0.0, prior_loss=0.0, **_SOFTMAX
    ),
    "only what the loss expects is known": Trace.of(loss_takes_logits=1, reachable_max=1.0),
}


@rule(
    "M02",
    kind="cause",
    needs=["loss_takes_logits", "reachable_max"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "vanishing-gradients", "low-learning-rate"],
)
def redundant_output_activation(trace: Trace, *, lost: float = 0.15) -> Iterator[Finding]:
    """The outputs are probabilities already, and the loss turns them into probabilities once more.

    Why it hurts
        The loss sees scores between 0 and 1, so that its own softmax can never be surer than e : 1. With ten classes
        it cannot fall below 1.46, and the gradients that still flow are a fraction of what they should be.

    How it decides
        By behaviour. The outputs stay between 0 and 1 however far the last weights are pushed; the loss answers to
        shifts and extremes as one that applies softmax or sigmoid itself; and optimising the last weights' output
        freely leaves more than `lost` of the way from the best constant prediction to the lowest loss undone.
        Softmax before cross-entropy loses 0.45 with two classes, 0.63 with ten, 0.85 with a thousand; a bound that
        the loss can live with loses less than 0.01. 0.15 lies between.

    When it is wrong
        A model that is meant to be trained at a temperature of 1 over probabilities, as some distillation set-ups are.

    References
        The floor is ln(1 + (K - 1)/e) for K classes, which follows from the definition of cross-entropy.
    """
    outputs = Outputs.of(trace)
    if trace.value("loss_takes_logits") != 1 or not outputs.lost > lost:
        return
    if outputs.probabilities and not outputs.constant:
        what = "softmax" if outputs.compares_classes else "sigmoid to the outputs of a softmax"
    elif outputs.within_unit and not outputs.constant and not outputs.compares_classes:
        what = "sigmoid"
    else:
        return
    yield Finding(
        f"The outputs are already probabilities and the loss applies {what} again: it can fall to "
        f"{outputs.attainable:.3g} at best, not {max(outputs.free, 0.0):.2g} (a constant gives {outputs.prior:.3g}).",
        where=place(trace),
        confidence=0.97,
        severity=Severity.ERROR if outputs.lost > 0.5 else Severity.WARNING,
        evidence=outputs.evidence(),
        fixes=(Remedy("remove-output-activation"),),
    )
