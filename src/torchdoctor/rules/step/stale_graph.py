"""A loss that was computed once and is back-propagated again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_ON = Series.of([1.0] * 6, steps=[0, 1, 2, 4, 8, 16])
_FIRST = Series.of([1.0])
_FALLING = Series.of(np.linspace(2.3, 0.3, 20))
FIRES = {
    "the same loss for ever, while the weight walks": Trace.of(
        training_mode=_FIRST, step_grad_norm=_ON, loss=[4.0] * 20, grad_norm=[4.0] * 20, update_ratio={"w": _ON}
    ),
    "the loss function was called once": Trace.of(
        training_mode=_FIRST, step_grad_norm=_ON, loss=[4.0], grad_norm=[4.0] * 20, update_ratio={"w": _ON}
    ),
    "told by the second step": Trace.of(
        training_mode=_FIRST, step_grad_norm=[1.0, 1.0], loss=[4.0, 4.0], grad_norm=[4.0, 4.0],
        update_ratio={"w": [0.1, 0.1]},
    ),
    "told by the second step, for which no loss was computed": Trace.of(
        {"loss_from": "loss_fn"}, training_mode=_FIRST, step_grad_norm=[1.0, 1.0], loss=[4.0], grad_norm=[4.0, 4.0],
        update_ratio={"w": [0.1, 0.1]},
    ),
}  # fmt: skip
QUIET = {
    "a forward pass in every step": Trace.of(
        training_mode=_ON, step_grad_norm=_ON, loss=[4.0] * 20, grad_norm=[4.0] * 20, update_ratio={"w": _ON}
    ),
    "the model's parts are called, not the model": Trace.of(
        training_mode=_FIRST, step_grad_norm=_ON, loss=_FALLING, grad_norm=_FALLING, update_ratio={"w": _ON}
    ),
    "the model is never called as a whole": Trace.of(
        step_grad_norm=_ON, loss=[4.0] * 20, grad_norm=[4.0] * 20, update_ratio={"w": _ON}
    ),
    "nothing moves": Trace.of(
        training_mode=_FIRST, step_grad_norm=_ON, loss=[4.0] * 20, grad_norm=[0.0] * 20, update_ratio={"w": [0.0] * 6}
    ),
}


@rule(
    "S07",
    kind="cause",
    severity=Severity.ERROR,
    needs=["training_mode", "step_grad_norm", "grad_norm"],
    explains=[
        "stalled-loss",
        "no-better-than-prior",
        "low-learning-rate",
        "high-learning-rate",
        "exploding-gradients",
        "vanishing-gradients",
        "oscillating-loss",
    ],
)
def stale_graph(trace: Trace, *, hold: int = 3) -> Iterator[Finding]:
    """Steps are taken without a forward pass before them: the loss was computed once and is back-propagated again.

    Why it hurts
        retain_graph=True keeps the first pass alive, and every step goes the way that was downhill from the first
        weights. The printed loss stays what it was, and the weights walk past the optimum.

    How it decides
        After a first forward pass of the model no other was seen, while the optimizer got a gradient, the weights
        moved, the gradient stayed what it was to a thousandth, and the loss was the same number or its function, which
        is watched, was not called: the second step tells. Where nothing is known of the loss it takes `hold` sampled
        steps. All of it together: a loop that calls the parts of a model instead of the model looks alike in the first
        point only.

    When it is wrong
        A loss that is linear in the parameters has the same gradient everywhere; its forward pass would still be seen.

    References
        torch.autograd.backward, on retain_graph.
    """
    forwards, received = trace["training_mode"], trace["step_grad_norm"].finite()
    if not len(forwards):
        raise CannotSay("no forward pass of the model itself was seen")
    last = int(forwards.steps[-1])
    since = received.between(last + 1, trace.last_step)
    norms = trace["grad_norm"].finite().between(last, trace.last_step).values
    loss = trace["loss"].between(last, trace.last_step).values
    told = len(loss) > 1 or trace.facts.get("loss_from") == "loss_fn"  # else it may be computed out of sight
    enough = 1 if told else hold
    if len(since) < enough or len(norms) <= enough or not (since.values > 0).all():
        return
    if np.ptp(norms) > 1e-3 * abs(norms[0]) or not _moved(trace, last):
        return
    if len(loss) > 1 and not (loss == loss[0]).all():
        return
    yield Finding(
        f"No forward pass comes after step {last}, and {len(norms) - 1} steps went on with its gradient of "
        f"{norms[0]:.3g}.",
        steps=(last, trace.last_step),
        confidence=0.95,
        evidence={"grad_norm": float(norms[0]), "steps_without_forward": len(norms) - 1},
        fixes=(Remedy("use-own-loop"),),
    )


def _moved(trace: Trace, last: int) -> bool:
    return any((s.between(last + 1, trace.last_step).values > 0).any() for _, s in trace.each("update_ratio"))
