"""A loss that expects probabilities or their logarithms, fed something else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.outputs import Outputs, place
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

MIXED = 1e-2  # of the outputs' spread: what rounding does not do
_INF = float("inf")
_RAW: dict[str, Any] = {
    "reachable_min": -_INF,
    "reachable_max": _INF,
    "reachable_log_sum": 410.0,
    "reachable_row_sum_spread": 2600.0,
}
FIRES = {
    "raw scores into a log-likelihood": Trace.of(
        loss_takes_log_probabilities=1, loss_compares_classes=1, attainable_loss=-75.0, **_RAW
    ),
    "probabilities into a log-likelihood, the logarithm forgotten": Trace.of(
        loss_takes_log_probabilities=1, loss_compares_classes=1, reachable_min=0.0, reachable_max=1.0,
        reachable_log_sum=2.46, reachable_row_sum_spread=4e-7,
    ),
    "raw scores into binary cross-entropy of probabilities": Trace.of(loss_takes_probabilities=1, **_RAW),
    "raw scores into a loss that is not defined below 0": Trace.of(
        loss_takes_positive=1, start_loss=float("nan"), **_RAW
    ),
}  # fmt: skip
QUIET = {
    "log-softmax over the batch is another fault": Trace.of(
        loss_takes_log_probabilities=1, loss_compares_classes=1, reachable_min=-_INF, reachable_max=0.0,
        reachable_log_sum=40.0, reachable_row_sum_spread=90.0, mixing=0.6,
    ),
    "log-softmax into a log-likelihood": Trace.of(
        loss_takes_log_probabilities=1, loss_compares_classes=1, reachable_min=-_INF, reachable_max=0.0,
        reachable_log_sum=3e-7,
    ),
    "sigmoid into binary cross-entropy": Trace.of(loss_takes_probabilities=1, reachable_min=0.0, reachable_max=1.0),
    "raw scores into squared error": Trace.of(loss_takes_probabilities=0, **_RAW),
    "raw outputs that happen to be positive": Trace.of(loss_takes_positive=1, start_loss=0.7, **_RAW),
    "the outputs could not be pushed": Trace.of(loss_takes_probabilities=1, reachable_max=float("nan")),
}  # fmt: skip


@rule(
    "M03",
    kind="cause",
    severity=Severity.ERROR,
    needs=["loss_takes_log_probabilities|loss_takes_probabilities|loss_takes_positive", "reachable_max"],
    explains=["unstable-loss", "non-finite-loss", "non-finite-gradient", "stalled-loss", "no-better-than-prior",
              "exploding-gradients"],
)  # fmt: skip
def missing_output_activation(trace: Trace) -> Iterator[Finding]:
    """The loss expects probabilities or log-probabilities, and the model hands it raw scores.

    Why it hurts
        A log-likelihood of raw scores has no bottom: it falls for ever while the scores grow, and nothing is learnt of
        the classes. Binary cross-entropy of raw scores is NaN or an error as soon as one leaves 0..1.

    How it decides
        By behaviour. A loss takes log-probabilities when it is linear in the entry of the target's class and blind to
        all others, probabilities when it is undefined or flat outside 0..1 or is a log-likelihood of the outputs'
        logarithms, positive numbers when it is undefined below 0. The model gives log-probabilities when the
        log-sum-exp of its rows stays 0 (to 0.001, float32) however far its last weights are pushed, and probabilities
        when its outputs stay in 0..1. Where samples mix, that is said alone. For positive numbers the start itself
        must have failed, since raw outputs may well stay positive.

    When it is wrong
        A loss that is meant to be linear in several raw scores, one of which the target picks, as the surrogate of a
        margin or a bandit.

    References
        torch.nn.NLLLoss and torch.nn.BCELoss, which say in their documentation what they expect.
    """
    outputs = Outputs.of(trace)
    if math.isnan(outputs.high) or math.isnan(outputs.low):
        return
    if trace.value("loss_takes_log_probabilities") == 1 and not outputs.log_probabilities:
        if outputs.high <= 0 and (trace.value("mixing") or 0.0) > MIXED:
            return  # of the samples instead of the classes, which mixed-batch says
        given = "probabilities without their logarithm" if outputs.probabilities else f"values {_range(outputs)}"
        yield _finding("log-probabilities", given, outputs, trace)
    elif trace.value("loss_takes_probabilities") == 1 and outputs.low == -math.inf and outputs.high == math.inf:
        yield _finding("probabilities", f"values {_range(outputs)}", outputs, trace)
    elif trace.value("loss_takes_positive") == 1 and outputs.low < 0 and _failed(trace):
        yield _finding("positive numbers", f"values {_range(outputs)}", outputs, trace)


def _finding(expected: str, given: str, outputs: Outputs, trace: Trace) -> Finding:
    fixes: tuple[Remedy, ...] = (Remedy("use-logits-loss"),)
    if expected == "log-probabilities" and not outputs.probabilities:
        fixes = (Remedy("add-log-softmax"), *fixes)
    return Finding(
        f"The loss expects {expected}, and the model gives it {given}.",
        where=place(trace),
        confidence=0.95,
        evidence=outputs.evidence(),
        fixes=() if expected == "positive numbers" else fixes,
    )


def _range(outputs: Outputs) -> str:
    if outputs.low == -math.inf and outputs.high == math.inf:
        return "without bounds"
    return f"from {outputs.low:.3g} to {outputs.high:.3g}"


def _failed(trace: Trace) -> bool:
    start = trace.value("start_loss")
    return start is not None and not math.isfinite(start)
