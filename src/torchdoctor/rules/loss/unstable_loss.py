"""A loss that is no number for outputs that a network may well give."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_INF, _NAN = math.inf, math.nan
FIRES = {
    "a relative error of targets that are zero": Trace.of(own_loss_finite=0, loss_breaks_at=5.0),
    "the logarithm of raw scores": Trace.of(own_loss_finite=1, loss_breaks_at=5.0),
    "log(1 - p) by hand, and training came there": Trace.of(
        own_loss_finite=1, loss_breaks_at=20.0, loss=[0.7, 0.3, 0.1, _NAN, _NAN]
    ),
    "log(1 - p) by hand, which training did not meet: a hint": Trace.of(
        own_loss_finite=1, loss_breaks_at=20.0, loss=[0.7, 0.3, 0.1]
    ),
    "the root of a distance that is zero, and a batch held such a pair": Trace.of(
        own_loss_finite=1,
        equal_outputs_finite=0,
        loss_breaks_at=_INF,
        loss=[0.7, 0.3, _NAN],
        nonfinite_gradient={"fc.weight": [1.0]},
    ),
}
QUIET = {
    "no slope where all outputs are equal, which was never met": Trace.of(
        own_loss_finite=1, equal_outputs_finite=0, loss_breaks_at=_INF, loss=[0.7, 0.3, 0.1]
    ),
    "the same, and the loss blew up with its gradient finite to the end": Trace.of(
        own_loss_finite=1, equal_outputs_finite=0, loss_breaks_at=_INF, loss=[0.7, 1e9, _NAN]
    ),
    "cross-entropy of scores": Trace.of(own_loss_finite=1, loss_breaks_at=_INF, loss=[2.3, 1.0, 0.5]),
    "the loss diverged for want of something else": Trace.of(
        own_loss_finite=1, loss_breaks_at=_INF, loss=[2.3, 1e9, _NAN]
    ),
    "nothing known but that it holds now": Trace.of(own_loss_finite=1),
}


@rule(
    "L04",
    kind="cause",
    severity=Severity.ERROR,
    needs=["own_loss_finite"],
    explains=["non-finite-loss", "non-finite-gradient", "exploding-gradients"],
)
def unstable_loss(trace: Trace, *, ordinary: float = 10.0) -> Iterator[Finding]:
    """The loss reaches log(0), 0/0 or an overflow for outputs that are nothing unusual.

    Why it hurts
        One NaN in the loss is one in every gradient, and after the step in every weight: training is over.

    How it decides
        The output of the last weights is replaced by numbers of growing size and random sign; behind them are the
        model's last activation and the loss, and nothing else. An alarm when the untrained model's own finite outputs
        have a loss or a gradient that is not finite, when numbers of size `ordinary` or less do, or when larger ones do
        and the watched run met such a loss. A loss that breaks at 20 or more and was not met so far is a hint: a
        sigmoid is 1 to float32 at 17, and then log(1 - p) is minus infinity. Beyond 60 nothing is tried, because
        losses of rates and variances take exponentials by design. A loss that breaks where all outputs are equal, as a
        distance by hand does, counts when the run's gradient was not finite while its loss was.

    When it is wrong
        A loss that refuses some outputs on purpose, for a network that cannot give them after its first steps.

    References
        The documentation of torch.nn.BCEWithLogitsLoss and of torch.logsumexp.
    """
    own, limit = trace.value("own_loss_finite"), trace.value("loss_breaks_at")
    if own == 0:
        yield _finding(
            "The loss of the untrained model's outputs, or its gradient, is not finite, though the outputs are.",
            Severity.ERROR, 0.85, limit,
        )  # fmt: skip
    elif trace.value("equal_outputs_finite") == 0 and any(
        (g.values > 0).any() for _, g in trace.each("nonfinite_gradient")
    ):
        yield _finding(
            "Where last-layer outputs of two samples are equal the loss has no slope (the root of zero, 0/0), and this "
            "run met a gradient that is not finite.",
            Severity.ERROR, 0.85, limit,
        )  # fmt: skip
    elif limit is None or not math.isfinite(limit):
        return
    elif bool(np.any(~np.isfinite(trace.taken("loss").values))):
        yield _finding(
            f"The loss is not finite for last-layer outputs of size {limit:.0f}, and this run came there.",
            Severity.ERROR, 0.85, limit,
        )  # fmt: skip
    else:
        often = limit <= ordinary
        yield _finding(
            f"The loss, or its gradient, is not finite for last-layer outputs of size {limit:.0f}.",
            Severity.WARNING if often else Severity.INFO, 0.75 if often else 0.5, limit,
        )  # fmt: skip


def _finding(message: str, severity: Severity, confidence: float, limit: float | None) -> Finding:
    evidence = {} if limit is None or not math.isfinite(limit) else {"loss_breaks_at": limit}
    return Finding(
        message,
        confidence=confidence,
        severity=severity,
        evidence=evidence or {"own_loss_finite": 0.0},
        fixes=(Remedy("use-logits-loss"),),
    )
