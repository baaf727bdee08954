"""So much weight decay that nothing is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchdoctor.judge.brakes import freed, outdone
from torchdoctor.judge.chance import chance_levels
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _runs(planned: float, free: float) -> Trace:
    runs = {"as planned": planned, "no weight decay": free}
    return Trace.of(brakeless_loss={k: Series.of([2.3, v], steps=[0, 120]) for k, v in runs.items()})


def _watched(decay: float, norms: list[float], end: float) -> Trace:
    return Trace.of(
        {
            "optimizer": {"type": "SGD", "groups": [{"lr": 0.01, "weight_decay": decay}]},
            "parameters": {"fc.weight": {"shape": [64, 32], "trainable": True, "in_optimizer": 1}},
            "loss_shapes": {"output": [32, 10], "target": [32]},
        },
        loss=np.linspace(2.35, end, 500),
        weight_norm={"fc.weight": norms},
    )


FIRES = {
    "a whole run is beaten by a short race without it": Trace.of(
        brakeless_loss={
            "as planned": Series.of([0.96, 0.54], steps=[0, 120]),
            "no weight decay": Series.of([0.96, 0.24], steps=[0, 120]),
        },
        raced_unseen_loss={"as planned": [0.29]},
        val_loss=[0.64, 0.57, 0.59],
    ),
    "a decay of 0.3": _runs(2.28, 0.01),
    "a third of the way, a hint": _runs(1.5, 0.01),
    "watched: the weights are drawn to nothing": _watched(0.5, [8.0, 3.0, 0.5, 0.01], 2.3026),
}
QUIET = {
    "half of the way on the batches trained on, and as good on others": Trace.of(
        brakeless_loss={
            "as planned": Series.of([0.96, 0.5], steps=[0, 120]),
            "no weight decay": Series.of([0.96, 0.2], steps=[0, 120]),
        },
        raced_unseen_loss={"as planned": [0.6]},
        val_loss=[0.64, 0.57, 0.55],
    ),
    "a usual decay": _runs(0.02, 0.01),
    "nothing is learnt without it either": _runs(2.3, 2.29),
    "watched: small weights that have learnt": _watched(0.05, [8.0, 3.0, 1.5, 1.5], 0.3),
    "watched: no decay": _watched(0.0, [8.0, 3.0, 0.5, 0.01], 2.3026),
}


@rule(
    "H06",
    kind="cause",
    needs=["brakeless_loss|weight_norm"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs", "vanishing-gradients",
              "dead-units", "low-learning-rate", "oscillating-loss", "badly-scaled-init"],
)  # fmt: skip
def strong_regularization(
    trace: Trace, *, share: float = 0.25, hint: float = 0.5, left: float = 0.2
) -> Iterator[Finding]:
    """Weight decay draws the weights to zero faster than they learn.

    Why it hurts
        What a step adds the decay takes off again, and the network answers the same for every input.

    How it decides
        By experiment, where there was one: the same few batches, the same steps, with the decay as planned and without.
        Of the way that the loss goes without decay it goes less than `share` with it: a warning; less than `hint`: a
        hint. Where the loss does not come to half without decay either, half of these shares count, and nothing is said
        where it does not come to 0.8. Healthy networks went 0.95 to 1 of the way, such with decay of 0.3 and more 0.01
        to 0.03.
        In a run that was watched: its best validation loss is far above (by the factor 1 / 0.7, a first guess) what
        a short race without dropout and decay comes to on samples kept back, and the decay slows these steps.
        And, for decay that needs longer than the experiment: the optimizer decays weights, the
        median weight matrix has less than `left` of its first length, and the loss is what guessing scores.

    When it is wrong
        Weights in front of a normalisation may shrink to any length and work as before; the loss then says so.

    References
        A. Krogh, J. Hertz, "A Simple Weight Decay Can Improve Generalization", 1991.
    """
    found, beaten = freed(trace, "no weight decay"), outdone(trace, "no weight decay")
    if beaten is not None:
        yield Finding(
            f"Under a weight decay of {_decay(trace):.2g} the whole run's validation loss comes to {beaten[1]:.3g}; a "
            f"few hundred steps without any brake come to {beaten[0]:.3g} on samples they never saw.",
            confidence=0.85,
            severity=Severity.WARNING,
            evidence={"best_of_run": beaten[1], "without": beaten[0]},
            fixes=(Remedy("remove-weight-decay"),),
        )
        return
    if found is not None and found.below(hint):
        yield Finding(
            f"In {found.steps} steps the loss goes from {found.first:.3g} to {found.planned:.3g} with the weight decay "
            f"of {_decay(trace):.2g}, and to {found.free:.3g} without.",
            confidence=0.9 if found.below(share) else 0.5,
            severity=Severity.WARNING if found.below(share) else Severity.INFO,
            evidence={"first": found.first, "with_decay": found.planned, "without": found.free},
            fixes=(Remedy("remove-weight-decay"),),
        )
        return
    shrunk, loss = _shrunk(trace), trace.taken("loss").finite()
    if not _decay(trace) > 0 or not shrunk < left or len(loss) < 50:
        return
    end = loss.tail(len(loss) // 10).median()
    if not any(end > 0.95 * level for level in chance_levels(trace).values()):
        return
    yield Finding(
        f"Under a weight decay of {_decay(trace):.2g} the weights shrank to {shrunk:.2g} of their first length, and "
        f"the loss of {end:.3g} is what guessing scores.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.75,
        evidence={"weight_decay": _decay(trace), "length_left": shrunk, "loss": end},
        fixes=(Remedy("remove-weight-decay"),),
    )


def _decay(trace: Trace) -> float:
    """The largest of the optimizer's groups; 0 when none is known."""
    groups: Any = trace.facts.get("optimizer", {}).get("groups", [])
    given = [g.get("weight_decay") for g in groups]
    return max((float(d) for d in given if isinstance(d, (int, float))), default=0.0)


def _shrunk(trace: Trace) -> float:
    """Median over the weight matrices of their last length over their first; NaN when none was recorded twice."""
    shapes = trace.facts.get("parameters", {})
    each = [
        s.last / s.first
        for name, s in trace.each("weight_norm")
        if len(shapes.get(name, {}).get("shape", [])) > 1 and len(s) > 1 and s.first > 0
    ]
    return float(np.median(each)) if each else float("nan")
