"""More plain layers than a gradient survives."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.races import Races, starts_badly
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_NAMES = [f"fc{i}.weight" for i in range(1, 13)]
_DEEP = {"parameters": {name: {"shape": [64, 64], "trainable": True} for name in _NAMES}}


def _races(decay: float, slope: float = 1.0, **reached: float) -> Trace:
    """From a loss of 2.3. decay: gradient norm of the first layer over the last one's."""
    runs = {name.replace("_", " "): Series.of([2.3, last], steps=[0, 240]) for name, last in reached.items()}
    return Trace.of(
        _DEEP, raced_loss=runs, raced_unseen_loss={n: r.last for n, r in runs.items()},
        fresh_param_grad_norm=dict(zip(_NAMES, np.geomspace(decay, 1.0, len(_NAMES)).tolist())),
        activation_slope={"relu": slope},
    )  # fmt: skip


FIRES = {
    "twelve plain layers": _races(1e-4, as_planned=2.3, rate_x10=2.3, adam=2.2, skips_x1=0.3),
    "at another rate": _races(1e-3, as_planned=2.2, rate_x10=2.3, skips_x1=2.0, skips_x10=0.4),
}
QUIET = {
    "skips do not help either": _races(1e-4, as_planned=2.3, rate_x10=2.3, skips_x1=2.2),
    "another rate helps as much": _races(1e-4, as_planned=2.3, rate_x10=0.4, skips_x1=0.3),
    "the gradient arrives": _races(0.6, as_planned=2.3, rate_x10=2.3, skips_x1=0.3),
    "sigmoids take it": _races(1e-5, slope=0.2, as_planned=2.3, rate_x10=2.3, skips_x1=0.3),
    "it learns": _races(0.2, as_planned=0.3),
}


@rule(
    "M12",
    kind="cause",
    needs=["raced_loss", "fresh_param_grad_norm|param_grad_norm"],
    explains=["vanishing-gradients", "stalled-loss", "no-better-than-prior", "underfitting", "dead-units",
              "low-learning-rate", "high-learning-rate", "oscillating-loss", "abnormal-update-ratio", "too-few-epochs",
              "unsuitable-optimizer"],
)  # fmt: skip
def excessive_depth(
    trace: Trace, *, better: float = 0.5, way: float = 0.3, decay: float = 0.01, slope: float = 0.5
) -> Iterator[Finding]:
    """The network learns nothing at any rate, and the same layers with skips around them do.

    Why it hurts
        Each plain layer passes on a part of the signal and of the gradient; behind a dozen of them the first layers
        learn from noise.

    How it decides
        By experiment, where there are six weight matrices or more and half of six keep their input's shape: the same
        few hundred steps with the planned network at three rates and with a twin in which such layers are skipped
        around. The twin's loss must end below `better` times the best of the others, on batches kept back too, and
        have lost `way` of what it began at; and the first third of the layers gets less than `decay` of the gradient
        of the last third, of freshly drawn weights (of the given ones, where none can be drawn). Activations that pass
        less than `slope` of the gradient are the cause themselves, and said by saturating-activation; nothing is said
        where freshly drawn weights learn a batch that the given ones do not. First guesses.

    When it is wrong
        Weights drawn on a wrong scale, around which skips help as well; badly-scaled-init says which.

    References
        K. He et al., "Deep Residual Learning for Image Recognition", 2016.
    """
    races = Races.of(trace)
    best, found, passing = races.at_best_rate, races.best("skips"), _passing(trace)
    if best is None or math.isnan(passing):
        raise CannotSay("no race as planned was run, or no gradients of its layers are known")
    slopes = [s.last for _, s in trace.each("activation_slope") if len(s)]
    if found is None or starts_badly(trace) or not found[1].beats(best, better) or not found[1].way > way:
        return
    if passing < decay and not (slopes and float(np.median(slopes)) < slope):
        yield Finding(
            f"Of {len(_matrices(trace))} layers the first get {passing:.1g} of the gradient; the loss ends at "
            f"{best.last:.3g} in {races.steps} steps, with skips around layers at {found[1].last:.3g}.",
            where=tuple(_matrices(trace)[: max(1, len(_matrices(trace)) // 3)]),
            confidence=0.75,
            evidence={"gradient_ratio": passing, "plain": best.last, "with_skips": found[1].last},
            fixes=(Remedy("skip-layers"), Remedy("normalize-layers")),
        )


def _matrices(trace: Trace) -> list[str]:
    shapes = trace.facts.get("parameters", {})
    return [name for name in shapes if len(shapes[name].get("shape", [])) > 1]


def _passing(trace: Trace) -> float:
    """Median gradient norm of the first third of the weight matrices over that of the last third, before training."""
    found = dict(trace.each("fresh_param_grad_norm" if trace.has("fresh_param_grad_norm") else "param_grad_norm"))
    norms = [found[name].first for name in _matrices(trace) if name in found and len(found[name])]
    third = max(1, len(norms) // 3)
    last = float(np.median(norms[-third:])) if norms else math.nan
    return float(np.median(norms[:third])) / last if last > 0 else math.nan
