"""Initial weights that make the signal grow or die on its way through the layers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.chance import chance_levels
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

NARROW = 8  # units: a layer of so many may differ twice as much from its twin as a wide one, one unit nine times

_NAMES = [f"fc{i}" for i in range(1, 6)]
_SHAPES = {"parameters": {f"{name}.weight": {"shape": [64, 64], "trainable": True} for name in _NAMES}}


def _layers(*values: float, ending: str = "") -> dict[str, float]:
    return {name + ending: value for name, value in zip(_NAMES, values)}


_FRESH_STD, _FRESH_GRADIENT = _layers(0.49, 0.3, 0.22, 0.1, 0.05), _layers(0.6, 0.7, 0.8, 0.9, 1.0, ending=".weight")
_FRESH = {"fresh_activation_std": _FRESH_STD, "fresh_param_grad_norm": _FRESH_GRADIENT}
FIRES = {
    "unit variance in every layer": Trace.of(
        _SHAPES, start_activation_std=_layers(4.5, 20, 51, 1e3, 6e4), start_loss=1e5, prior_loss=2.3, **_FRESH
    ),
    "unit variance under a loss that refuses what comes out": Trace.of(
        _SHAPES, start_activation_std=_layers(16, 9, 12, 8, 10), start_loss=math.nan, prior_loss=0.3, **_FRESH
    ),
    "a hundredth in every layer": Trace.of(
        _SHAPES, start_activation_std=_layers(0.14, 0.05, 0.02, 0.02, 0.056), start_loss=2.31, prior_loss=2.3,
        param_grad_norm=_layers(1e-3, 1e-3, 1e-3, 1e-2, 0.4, ending=".weight"), **_FRESH,
    ),
    "a signal that is gone before the last layers, which get no gradient either": Trace.of(
        _SHAPES, start_activation_std=_layers(0.03, 2e-3, 9e-5, 4e-6, 2e-7), start_loss=0.98, prior_loss=0.97,
        param_grad_norm=_layers(5e-8, 5e-8, 4e-8, 4e-8, 5e-8, ending=".weight"), **_FRESH,
    ),
    "tanh driven to its ends": Trace.of(
        _SHAPES, start_activation_std=_layers(3.9, 3.5, 3.8, 3.6, 4.0), start_loss=5.8, prior_loss=2.3,
        activation_slope=_layers(0.39, 0.39, 0.37, 0.38), fresh_activation_slope=_layers(0.81, 0.94, 0.97, 0.98),
        **_FRESH,
    ),
}  # fmt: skip
QUIET = {
    "as the layers draw them": Trace.of(
        _SHAPES, start_activation_std=_FRESH_STD, param_grad_norm=_FRESH_GRADIENT, start_loss=2.31, prior_loss=2.3,
        **_FRESH,
    ),
    "He's scheme: larger than the layers' own, level with depth": Trace.of(
        _SHAPES, start_activation_std=_layers(1.3, 1.4, 1.7, 2.0, 2.9), start_loss=5.0, prior_loss=2.3,
        param_grad_norm=_layers(66, 80, 136, 150, 250, ending=".weight"), **_FRESH,
    ),
    "the last layer starts at zero": Trace.of(
        _SHAPES, start_activation_std=_layers(0.49, 0.3, 0.22, 0.1, 0.0), start_loss=2.3, prior_loss=2.3,
        param_grad_norm=_layers(0, 0, 0, 0, 1.0, ending=".weight"), **_FRESH,
    ),
    "He's scheme on inputs of size seven: it keeps what it is given": Trace.of(
        _SHAPES, start_activation_std=_layers(6.1, 6.5, 6.0, 6.8, 7.0), start_loss=4.97, prior_loss=1.1,
        input_mean=-2.8, input_std=6.0, **_FRESH,
    ),
    "large inputs and one output: that differs by chance": Trace.of(
        {"parameters": {"fc1.weight": {"shape": [12, 30]}, "fc2.weight": {"shape": [1, 12]}}},
        start_activation_std={"fc1": 100.0, "fc2": 35.0}, fresh_activation_std={"fc1": 118.0, "fc2": 5.0},
        start_loss=36.0, prior_loss=0.64,
    ),
    "branches that start at zero": Trace.of(
        _SHAPES, start_activation_std=_layers(0.49, 0.0, 0.1, 0.02, 0.05), start_loss=2.3, prior_loss=2.3,
        weight_norm=_layers(5, 0, 5, 0, 5, ending=".weight"),
        param_grad_norm=_layers(0, 0, 0, 1, 1.0, ending=".weight"), **_FRESH,
    ),
    "trained before: larger, and it knows the answer": Trace.of(
        _SHAPES, start_activation_std=_layers(2, 4, 6, 8, 9), start_loss=0.2, prior_loss=2.3, **_FRESH
    ),
    "targets far from zero are not the weights' doing": Trace.of(
        _SHAPES, start_activation_std=_FRESH_STD, start_loss=4e10, prior_loss=1e9, **_FRESH
    ),
}  # fmt: skip


@rule(
    "M08",
    kind="cause",
    needs=["fresh_activation_std|activation_std"],
    explains=[
        "exploding-gradients", "vanishing-gradients", "non-finite-loss", "non-finite-gradient", "dead-units",
        "saturated-units", "stalled-loss", "no-better-than-prior", "underfitting", "abnormal-update-ratio",
        "high-learning-rate", "low-learning-rate", "oscillating-loss",
    ],
)  # fmt: skip
def badly_scaled_init(
    trace: Trace, *, far: float = 4.0, larger: float = 5.0, decay: float = 0.01, flat: float = 0.1
) -> Iterator[Finding]:
    """The initial weights have a scale at which the signal grows, or dies, with every layer.

    Why it hurts
        Weights twice too large double the signal in each layer: after ten layers the loss starts a thousand times too
        high and training is spent on coming back. Weights twice too small starve the first layers of gradient.

    How it decides
        Beside a twin with the same layers, each drawn anew by its own reset_parameters(). Too large: the loss starts at
        `far` times the best constant's or more, and a layer puts out `larger` times what the twin's does (more in
        layers of few units, by chance), or the loss is not a number, and all layers do; or the activations pass `flat`
        of the gradient that the twin's pass, and the loss starts at twice the best constant's. Too small: the gradient
        of the first layers is `decay` of the twin's, over that of the last, or by itself where the output has died down
        to that too, and two layers or more put out less than half. Over ten networks, He's, Xavier's and orthogonal
        weights, N(0, 0.02) and last layers of zero stayed on the healthy side (2.9 times the best constant, 0.012 of
        the twin's); N(0, 1), ten times the default, U(0, 1) and N(0, 0.01) did not, save in recurrent and normalised
        networks, which bear them.

    When it is wrong
        Weights that were trained before for something else, and are now fed other data.

    References
        K. He et al., "Delving Deep into Rectifiers", 2015. X. Glorot, Y. Bengio, 2010.
    """
    if not trace.has("fresh_activation_std"):
        yield from _by_watching(trace)
        return
    start, prior = trace.value("start_loss"), trace.value("prior_loss")
    times = start / prior if start is not None and prior is not None and prior > 0 else math.nan
    sizes = _sizes(trace)
    grown = {name: size for name, size in sizes.items() if not size < larger * _chance(trace, name)}
    refused = start is not None and math.isnan(start) and len(grown) == len(sizes) > 1
    if grown and (times >= far or start == math.inf or refused) and _outgrows(trace, grown, larger):
        yield _too_large(sizes, grown, times)
    elif (passed := _passed(trace)) < flat and times >= 2:
        yield _driven_flat(trace, passed, times)
    elif _zeros(trace):
        return  # a branch or a head that is meant to begin with nothing lets no gradient through at first
    elif (ratio := np.fmin(_decay(trace), _starved(trace, sizes, decay))) < decay and sum(
        size < 0.5 for size in sizes.values()
    ) >= 2:
        yield _too_small(trace, sizes, ratio)


def _too_large(sizes: dict[str, float], grown: dict[str, float], times: float) -> Finding:
    most = max(sizes.values())
    start = f"{times:.3g} times the best constant's" if math.isfinite(times) else "at no number at all"
    return Finding(
        f"The layers put out up to {most:.2g} times what freshly drawn ones do, and the loss starts at {start}.",
        where=tuple(grown),
        # A loss that is not a number may have other causes, and nothing then says what the sizes do to it.
        confidence=0.6 if math.isnan(times) else 0.9 if times >= 10 else 0.7,
        severity=Severity.ERROR if times >= 10 else Severity.WARNING,
        evidence={"largest": most, "start_over_prior": times},
        fixes=_FIXES,
    )


def _driven_flat(trace: Trace, passed: float, times: float) -> Finding:
    slopes = {name: s.last for name, s in trace.each("activation_slope")}
    return Finding(
        f"The weights drive the activations so far that they pass {passed:.1g} of the gradient that freshly drawn "
        f"ones do; the loss starts at {times:.2g} times the best constant's.",
        where=tuple(slopes),
        confidence=0.75,
        evidence={"passed": passed, "start_over_prior": times},
        fixes=_FIXES,
    )


def _too_small(trace: Trace, sizes: dict[str, float], ratio: float) -> Finding:
    learns = Rates.of(trace).good
    starved = tuple(name for name, size in sizes.items() if size < 0.5)
    return Finding(
        f"The first layers' share of the gradient is {ratio:.1g} of what it is with freshly drawn weights; "
        f"{len(starved)} layers put out less than half.",
        where=starved,
        confidence=0.4 if learns else 0.8,
        severity=Severity.INFO if learns else Severity.WARNING,
        evidence={"gradient_ratio": ratio},
        fixes=_FIXES,
    )


_FIXES = (Remedy("reinitialize", {"scheme": "default"}), Remedy("reinitialize", {"scheme": "he"}))


def _sizes(trace: Trace) -> dict[str, float]:
    """Layer with weights -> standard deviation of what it puts out, over the twin's."""
    weighted = {name.rpartition(".")[0] for name in _matrices(trace)}
    fresh = {name: s.last for name, s in trace.each("fresh_activation_std")}
    return {
        name: s.last / fresh[name] if math.isfinite(s.last) else math.inf
        for name, s in trace.each("start_activation_std")
        if name in weighted and fresh.get(name, 0.0) > 0
    }


def _matrices(trace: Trace) -> list[str]:
    shapes = trace.facts.get("parameters", {})
    return [name for name in shapes if len(shapes[name].get("shape", [])) > 1]


def _zeros(trace: Trace) -> bool:
    norms = dict(trace.each("weight_norm"))
    return any(norms[name].first == 0 for name in _matrices(trace) if name in norms)


def _outgrows(trace: Trace, grown: dict[str, float], larger: float) -> bool:
    """Beyond the size of the inputs: a scheme that keeps a signal's size keeps that of large inputs too."""
    mean, std = trace.value("input_mean"), trace.value("input_std")
    size = max(1.0, math.hypot(mean, std)) if mean is not None and std is not None else 1.0
    most = max((s.first for name, s in trace.each("start_activation_std") if name in grown), default=math.inf)
    return not most < larger * size


def _passed(trace: Trace) -> float:
    """What all activations together let through, over what the twin's do; 1 where there is nothing to compare."""
    fresh = {name: s.last for name, s in trace.each("fresh_activation_slope")}
    ratios = [s.last / fresh[n] for n, s in trace.each("activation_slope") if fresh.get(n, 0.0) > 0]
    return math.prod(ratios) if ratios else 1.0


def _decay(trace: Trace) -> float:
    """Gradient of the first third of the weight matrices over that of the last, over the same of the twin."""
    own, fresh = _depth_ratio(trace, "param_grad_norm"), _depth_ratio(trace, "fresh_param_grad_norm")
    return own / fresh if fresh > 0 else math.nan


def _starved(trace: Trace, sizes: dict[str, float], decay: float) -> float:
    """Gradient of the first third of the weight matrices over the twin's, where a layer puts out less than `decay` of
    what the twin's does: a signal that has died before the end leaves the last layers no gradient either."""
    own, fresh = (dict(trace.each(signal)) for signal in ("param_grad_norm", "fresh_param_grad_norm"))
    names = [name for name in _matrices(trace) if name in own and name in fresh]
    third = names[: max(1, len(names) // 3)]
    if not third or not min(sizes.values(), default=1.0) < decay:
        return math.nan
    usual = float(np.median([fresh[name].first for name in third]))
    return float(np.median([own[name].first for name in third])) / usual if usual > 0 else math.nan


def _chance(trace: Trace, layer: str) -> float:
    """How much more two draws of a narrow layer differ: one unit may well lie across what it is fed."""
    shapes = trace.facts.get("parameters", {})
    units = next((shapes[n]["shape"][0] for n in _matrices(trace) if n.rpartition(".")[0] == layer), 0)
    return 1 + NARROW / units if units else 1.0


def _depth_ratio(trace: Trace, signal: str) -> float:
    found = dict(trace.each(signal))
    # The first value: in a run that was watched as well, later ones are no longer the start.
    norms = [found[name].first for name in _matrices(trace) if name in found]
    third = max(1, len(norms) // 3)
    last = float(np.median(norms[-third:])) if len(norms) > 1 else math.nan
    return float(np.median(norms[:third])) / last if last > 0 else math.nan


def _by_watching(trace: Trace) -> Iterator[Finding]:
    """Without a twin, only what no customary scheme does: a loss ten times above guessing behind layers that grow."""
    weighted = {name.rpartition(".")[0] for name in _matrices(trace)}
    stds = [s.first for name, s in trace.each("activation_std") if name in weighted]
    first = trace["loss"].first
    level = max(chance_levels(trace).values(), default=math.nan)
    small = not trace["input_std"].first > 10 and not trace["target_std"].first > 10
    if len(stds) < 2 or not small or not stds[-1] > 10 * max(stds[0], 1.0) or not first > 10 * level:
        return
    yield Finding(
        f"What the layers put out grows from {stds[0]:.2g} to {stds[-1]:.2g}, and the loss starts at {first:.3g}, "
        f"where guessing scores {level:.3g}.",
        steps=(0, 0),
        confidence=0.6,
        evidence={"first_std": stds[0], "last_std": stds[-1], "start": first, "guessing": level},
        fixes=_FIXES,
    )
