"""A last activation that cannot say what the targets say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.outputs import Outputs, place
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_INF = float("inf")
_CLASSES: dict[str, Any] = {
    "loss_takes_logits": 1,
    "loss_compares_classes": 1,
    "free_loss": 0.0,
    "prior_loss": 2.303,
}
_VALUES: dict[str, Any] = {
    "loss_takes_logits": 0,
    "loss_compares_classes": 0,
    "free_loss": 0.0,
    "reachable_clipped_share": 0.0,
}
FIRES = {
    "softmax over one unit": Trace.of(
        loss_takes_logits=0, reachable_min=1.0, reachable_max=1.0, attainable_loss=50.0, free_loss=0.0, prior_loss=0.69
    ),
    "sigmoid under cross-entropy of logits": Trace.of(
        reachable_min=0.0, reachable_max=1.0, reachable_row_sum_spread=10.0, attainable_loss=1.461, **_CLASSES
    ),
    "tanh under cross-entropy of logits": Trace.of(
        reachable_min=-1.0, reachable_max=1.0, reachable_row_sum_spread=20.0, attainable_loss=0.797, **_CLASSES
    ),
    "relu on class scores": Trace.of(
        reachable_min=0.0, reachable_max=_INF, reachable_clipped_share=0.5, attainable_loss=0.0, **_CLASSES
    ),
    "relu on targets of both signs": Trace.of(
        reachable_min=0.0, reachable_max=_INF, attainable_loss=2.39, prior_loss=3.45, **_VALUES
    ),
    "sigmoid on standardised targets": Trace.of(
        reachable_min=0.0, reachable_max=1.0, attainable_loss=0.6, prior_loss=1.0, **_VALUES
    ),
    "relu before binary cross-entropy of probabilities": Trace.of(
        loss_takes_probabilities=1, loss_takes_logits=0, reachable_min=0.0, reachable_max=_INF
    ),
    "sigmoid before a likelihood of classes": Trace.of(
        loss_takes_probabilities=1, loss_takes_logits=0, loss_compares_classes=1, reachable_min=0.0, reachable_max=1.0,
        reachable_row_sum_spread=10.0,
    ),
}  # fmt: skip
QUIET = {
    "no activation at all before a loss of probabilities is called missing": Trace.of(
        loss_takes_probabilities=1, loss_takes_logits=0, reachable_min=-_INF, reachable_max=_INF, attainable_loss=0.4,
        free_loss=0.0, prior_loss=0.69,
    ),
    "logits into cross-entropy": Trace.of(
        reachable_min=-_INF, reachable_max=_INF, reachable_clipped_share=0.0, attainable_loss=0.0, **_CLASSES
    ),
    "softmax before cross-entropy is called redundant": Trace.of(
        reachable_min=0.0, reachable_max=1.0, reachable_row_sum_spread=4e-7, attainable_loss=1.461, **_CLASSES
    ),
    "scores held within +-30": Trace.of(
        reachable_min=-30.0, reachable_max=30.0, reachable_row_sum_spread=600.0, attainable_loss=0.0, **_CLASSES
    ),
    "relu and average pooling on class scores": Trace.of(
        reachable_min=0.0, reachable_max=_INF, reachable_clipped_share=0.0, attainable_loss=0.0, **_CLASSES
    ),
    "relu on targets above zero": Trace.of(
        reachable_min=0.0, reachable_max=_INF, attainable_loss=5e-4, prior_loss=1.48, **_VALUES
    ),
    "tanh on targets in -1..1": Trace.of(
        reachable_min=-1.0, reachable_max=1.0, attainable_loss=7e-4, prior_loss=0.47, **_VALUES
    ),
    "sigmoid into binary cross-entropy": Trace.of(
        loss_takes_probabilities=1, loss_takes_logits=0, reachable_min=0.0, reachable_max=1.0,
        reachable_row_sum_spread=1.0, attainable_loss=4e-5, free_loss=4e-5, prior_loss=0.69,
    ),
    "only the range is known": Trace.of(loss_takes_logits=0, reachable_min=0.0, reachable_max=1.0),
}  # fmt: skip


@rule(
    "M01",
    kind="cause",
    severity=Severity.ERROR,
    needs=["loss_takes_logits", "reachable_max"],
    explains=[
        "stalled-loss", "no-better-than-prior", "underfitting", "vanishing-gradients", "dead-units", "saturated-units",
        "low-learning-rate", "unscaled-targets",
    ],
)  # fmt: skip
def wrong_output_activation(
    trace: Trace, *, lost: float = 0.15, lost_values: float = 0.05, clipped: float = 0.2
) -> Iterator[Finding]:
    """The last activation cannot express what the targets say, whatever the weights.

    Why it hurts
        Softmax over one unit is 1 for every input. Sigmoid and tanh end where many targets begin. ReLU makes every
        negative score 0, and a score that is 0 for all samples of its class gets no gradient and stays so.

    How it decides
        The output of the last weights is pushed far out and optimised freely. It speaks when the outputs cannot be
        moved at all; when they are bounded on a side and, with the best outputs there are, more than `lost` (losses of
        scores) or `lost_values` (all others) of the way from the best constant to the lowest loss cannot be gone; when
        at least `clipped` of the scores are exactly 0 for random weights (half of them for a ReLU, none for anything
        smooth); when a loss of probabilities is fed a range that is not 0..1, or a likelihood of classes probabilities
        that do not compete. Tanh before cross-entropy loses 0.18 with two classes and 0.35 with ten, a range that
        holds the targets less than 0.01; in squared error `lost_values` is a share of the variance.

    When it is wrong
        A bound that is wanted because targets outside it are known to be wrong.

    References
        The reachable set follows from the definitions; no threshold here comes from elsewhere.
    """
    for finding in _said(trace, lost, lost_values, clipped):
        yield replace(finding, where=place(trace))


def _said(trace: Trace, lost: float, lost_values: float, clipped: float) -> Iterator[Finding]:
    outputs = Outputs.of(trace)
    scores = trace.value("loss_takes_logits") == 1
    if outputs.constant:
        yield _constant(outputs, scores)
    elif trace.value("loss_takes_log_probabilities") == 1:
        return  # missing-output-activation
    elif trace.value("loss_takes_probabilities") == 1:
        yield from _of_probabilities(outputs)
    elif scores and ((outputs.within_unit and not outputs.compares_classes) or outputs.probabilities):
        return  # redundant-output-activation
    elif (math.isfinite(outputs.low) or math.isfinite(outputs.high)) and outputs.lost > (
        lost if scores else lost_values
    ):
        yield _bounded(outputs, scores)
    elif scores and outputs.clipped >= clipped and not outputs.bounded:
        yield _clipped(outputs)


def _constant(outputs: Outputs, scores: bool) -> Finding:
    softmax = abs(outputs.high - 1) < 1e-6
    why = " (a softmax over one unit)" if softmax else ""
    return Finding(
        f"The outputs are always {outputs.high:.3g}{why}, whatever the weights before them.",
        confidence=0.98,
        evidence=outputs.evidence(),
        fixes=(Remedy("use-sigmoid-output"),) if softmax and not scores else (Remedy("remove-output-activation"),),
    )


def _of_probabilities(outputs: Outputs) -> Iterator[Finding]:
    half = math.isfinite(outputs.low) != math.isfinite(outputs.high)
    if half or (outputs.bounded and not outputs.within_unit):
        yield Finding(
            f"The loss takes probabilities, and the outputs range from {outputs.low:.3g} to {outputs.high:.3g}.",
            confidence=0.95,
            evidence=outputs.evidence(),
            fixes=(Remedy("use-sigmoid-output"), Remedy("use-logits-loss")),
        )
    elif outputs.compares_classes and outputs.within_unit and not outputs.probabilities:
        yield Finding(
            "The loss is a likelihood of classes, and the outputs are not: all classes can have probability 1 at once.",
            confidence=0.9,
            evidence=outputs.evidence(),
            fixes=(Remedy("use-logits-loss"),),
        )
    elif outputs.lost > 0.15 and (math.isfinite(outputs.low) or math.isfinite(outputs.high)):
        yield _bounded(outputs, scores=False)


def _bounded(outputs: Outputs, scores: bool) -> Finding:
    what = "scores" if scores else "outputs"
    limit = "must sum to 1" if outputs.probabilities else f"cannot leave {outputs.low:.3g}..{outputs.high:.3g}"
    return Finding(
        f"The {what} {limit}, so the loss can fall to "
        f"{outputs.attainable:.3g} at best, not {outputs.free:.2g} (a constant gives {outputs.prior:.3g}).",
        # A small loss may be a few outliers beyond the bound; half the way lost is no accident.
        confidence=0.95 if outputs.lost > 0.15 else 0.75,
        severity=Severity.ERROR if outputs.lost > 0.15 else Severity.WARNING,
        evidence=outputs.evidence(),
        fixes=(Remedy("remove-output-activation" if scores else "use-linear-output"),),
    )


def _clipped(outputs: Outputs) -> Finding:
    edge = outputs.low if math.isfinite(outputs.low) else outputs.high
    return Finding(
        f"Class scores cannot pass {edge:.3g}: {outputs.clipped:.0%} of them lie exactly there for random weights and "
        "get no gradient.",
        confidence=0.8,
        severity=Severity.WARNING,
        evidence={**outputs.evidence(), "reachable_clipped_share": outputs.clipped},
        fixes=(Remedy("remove-output-activation"),),
    )
