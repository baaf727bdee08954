"""Hidden sigmoids, one behind the other, each of which lets a quarter of the gradient through at most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from torchdoctor.judge.chance import chance_levels
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

STEEP = 0.35  # a sigmoid's slope is 0.25 at most, a GELU's or SiLU's about 0.5 near zero, a tanh's 0.8 and more

_FLAT, _DOWN = [2.31] * 200, list(np.geomspace(2.3, 0.05, 60))
_STACK = {f"fc{i}": 0.24 for i in range(1, 5)}
_SHAPES = {f"fc{i}.weight": {"shape": [64, 64], "trainable": True} for i in range(1, 6)}
_WATCHED = {"parameters": _SHAPES, "loss_shapes": {"output": [64, 10], "target": [64]}}
FIRES = {
    "four sigmoids": Trace.of(activation_slope=_STACK, fresh_activation_slope=_STACK),
    "three sigmoids, and the batch is not learnt": Trace.of(
        activation_slope={"a": 0.23, "b": 0.24, "c": 0.25}, overfit_loss={"here x1": [2.3, 2.29, 2.28]}
    ),
    "two sigmoids and a third at the output, under squared error": Trace.of(
        activation_slope={"a": 0.24, "b": 0.24}, output_slope=0.25, loss_takes_probabilities=0, loss_takes_logits=0
    ),
    "four sigmoids that learn all the same, a hint": Trace.of(activation_slope=_STACK, overfit_loss={"here x1": _DOWN}),
    "watched: each layer varies a quarter of the one before it, and the first gets no gradient": Trace.of(
        _WATCHED, loss=_FLAT,
        activation_std={k: s for i in range(1, 5) for k, s in ((f"fc{i}", [0.4]), (f"fc{i}:activated", [0.09]))},
        param_grad_norm={f"fc{i}.weight": [10.0 ** (i - 6)] for i in range(1, 6)},
    ),
}  # fmt: skip
QUIET = {
    "ReLU": Trace.of(activation_slope=dict.fromkeys("abcdefgh", 1.0)),
    "tanh": Trace.of(activation_slope={"a": 0.83, "b": 0.94, "c": 0.98}),
    "SiLU and GELU, ten layers": Trace.of(activation_slope=dict.fromkeys("abcdefghij", 0.5)),
    "two sigmoids and a third at the output, under a likelihood": Trace.of(
        activation_slope={"a": 0.24, "b": 0.24}, output_slope=0.25, loss_takes_probabilities=1, loss_takes_logits=0
    ),
    "one hidden sigmoid": Trace.of(activation_slope={"a": 0.24}),
    "tanh that saturates for its weights: badly-scaled-init": Trace.of(
        activation_slope=dict.fromkeys("abc", 0.25), fresh_activation_slope=dict.fromkeys("abc", 0.9)
    ),
    "watched: a ReLU net with small first gradients": Trace.of(
        _WATCHED, loss=_FLAT,
        activation_std={"fc1": [0.4], "fc1:activated": [0.24], "fc2": [0.3], "fc2:activated": [0.18]},
        param_grad_norm={f"fc{i}.weight": [10.0 ** (i - 6)] for i in range(1, 6)},
    ),
}  # fmt: skip


@rule(
    "M06",
    kind="cause",
    needs=["activation_slope|activation_std"],
    explains=[
        "vanishing-gradients", "saturated-units", "stalled-loss", "no-better-than-prior", "underfitting",
        "low-learning-rate", "abnormal-update-ratio",
    ],
)  # fmt: skip
def saturating_activation(trace: Trace, *, through: float = 0.02, certain: float = 0.005) -> Iterator[Finding]:
    """Hidden activations that squash, one behind the other, let almost no gradient through.

    Why it hurts
        A sigmoid multiplies the gradient by 0.25 at best. Behind four of them a two-hundredth is left, and the first
        layers hardly learn, whatever the optimizer.

    How it decides
        The probe measures the slope of every activation between two layers, at the start and in a freshly drawn twin.
        Those below 0.35 in both squash by nature and not for their weights (then it is badly-scaled-init); it speaks
        when two or more of them together (with the output's, unless the loss makes up for it) let less than `through`
        pass, surely below `certain`. On digits, 600 steps of four customary optimizer settings: two sigmoids (0.06)
        cost one setting of four much accuracy, three (0.015) one of them all, four (0.004) two, six (0.0002) all. A
        hint only, where the planned rate learns a batch by heart or the loss has halved.
        In a run that was only watched: at least three activations vary less than 0.3 of what they are fed, the first
        third of the weight matrices gets a hundredth of the last third's gradient, and the loss is what guessing is.

    When it is wrong
        Squashing side by side rather than one behind the other.

    References
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    squashing = _squashing(trace)
    passed = math.prod(squashing.values()) * _last(trace)
    if len(squashing) >= 2 and passed < through:
        also = ", and the output's" if _last(trace) < 1 else ""
        learns = Rates.of(trace).good or _halved(trace)
        yield Finding(
            f"{len(squashing)} hidden activations in a row{also} let {passed:.1g} of the gradient through.",
            where=tuple(squashing),
            confidence=(0.9 if passed < certain else 0.65) * (0.5 if learns else 1.0),
            severity=Severity.INFO if learns else Severity.WARNING,
            evidence={"passed": passed, "activations": len(squashing)},
            fixes=(Remedy("replace-activation", {"to": "relu"}), Remedy("normalize-layers")),
        )
    elif not trace.has("activation_slope"):
        yield from _by_watching(trace)


def _squashing(trace: Trace) -> dict[str, float]:
    """Layer -> slope of the activation behind it, of those that are flat by nature."""
    fresh = {name: s.last for name, s in trace.each("fresh_activation_slope")}
    return {
        name: s.last
        for name, s in trace.each("activation_slope")
        if 0 < s.last < STEEP and not fresh.get(name, 0.0) >= STEEP
    }


def _last(trace: Trace) -> float:
    """The slope of the output's own activation, if it squashes and the loss does not make up for it, as a likelihood of
    probabilities does; under a loss of scores it is a fault of its own."""
    slope = trace.value("output_slope")
    counts = all(trace.value(f"loss_takes_{what}") == 0 for what in ("probabilities", "logits"))
    return slope if slope is not None and 0 < slope < STEEP and counts else 1.0


def _by_watching(trace: Trace) -> Iterator[Finding]:
    stds = [(name, s.head(3).median()) for name, s in trace.each("activation_std")]
    weighted = {name.rpartition(".")[0] for name in trace.facts.get("parameters", {})}
    squashed = [
        name
        for (name, before), (after, std) in pairwise(stds)
        if name in weighted and after not in weighted and std < 0.3 * before
    ]
    first, last = _depths(trace)
    level = trace["loss"].tail(50).median()
    guessing = any(level > 0.95 * chance for chance in chance_levels(trace).values())
    if len(squashed) >= 3 and first < 0.01 * last and guessing and len(trace["loss"]) >= 100:
        yield Finding(
            f"{len(squashed)} hidden activations vary less than 0.3 of what they are fed, and the first layers get "
            f"{first / last:.1g} of the last ones' gradient.",
            where=tuple(squashed),
            steps=(0, trace.last_step),
            confidence=0.65,
            evidence={"activations": len(squashed), "first_gradient": first, "last_gradient": last},
            fixes=(Remedy("replace-activation", {"to": "relu"}),),
        )


def _depths(trace: Trace) -> tuple[float, float]:
    """Median gradient norms of the first and the last third of the weight matrices."""
    shapes = trace.facts.get("parameters", {})
    norms = [s.median() for n, s in trace.each("param_grad_norm") if len(shapes.get(n, {}).get("shape", [])) > 1]
    third = max(1, len(norms) // 3)
    return (float(np.median(norms[:third])), float(np.median(norms[-third:]))) if norms else (math.nan, math.nan)


def _halved(trace: Trace) -> bool:
    loss = trace["loss"].finite()
    return len(loss) >= 100 and loss.fall() > 0.5 * abs(loss.first)
