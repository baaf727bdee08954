"""Features far from zero mean and unit scale."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

INDIFFERENT = 3.0  # gradients that change by less than this on standardised inputs: the model undoes the scale itself
EARLY = 3  # layers of a watched run in which a scale is undone, if it is

FIRES = {
    "raw pixels into a plain net": Trace.of(
        entering_rms={"conv1": 85.0}, entering_absmax={"conv1": 255.0}, input_gain=92.0
    ),
    "a table with a salary": Trace.of(
        {"features": {"mean": [40.0, 5e4], "std": [12.0, 2e4]}},
        entering_rms={"0": 5.4e4}, entering_absmax={"0": 3e5}, entering_feature={"0": 1}, input_gain=1e9,
    ),
    "divided by 255 twice": Trace.of(
        entering_rms={"fc": 0.0013}, entering_absmax={"fc": 0.0039}, input_gain=200.0
    ),
    "years: all alike, seen from zero": Trace.of(
        entering_rms={"fc": 20.0}, entering_absmax={"fc": 21.0}, entering_shift={"fc": 80.0}, input_gain=40.0
    ),
    "normalised after the first layer, where columns of unlike scale are already mixed": Trace.of(
        entering_rms={"fc": 5e4}, entering_absmax={"fc": 3e5}, entering_spread={"fc": 2e4}, input_gain=1.4
    ),
    "watched: raw pixels, layer after layer": Trace.of(
        input_mean=33.0, input_std=79.0, activation_mean={"fc1": 1.0, "relu": 19.0, "fc2": 2.0},
        activation_std={"fc1": 45.0, "relu": 28.0, "fc2": 14.0},
    ),
}  # fmt: skip
QUIET = {
    "pixels in 0..1": Trace.of(entering_rms={"conv1": 0.33}, entering_absmax={"conv1": 1.0}, input_gain=2.2),
    "raw pixels, convolution then batch norm": Trace.of(
        entering_rms={"conv1": 85.0}, entering_absmax={"conv1": 255.0}, entering_spread={"conv1": 1.0}, input_gain=1.1
    ),
    "rare words as 0 and 1": Trace.of(entering_rms={"fc": 0.03}, entering_absmax={"fc": 1.0}, input_gain=30.0),
    "standardised": Trace.of(entering_rms={"fc": 1.0}, entering_absmax={"fc": 9.0}, entering_shift={"fc": 0.1}),
    "watched: raw pixels into batch norm": Trace.of(
        input_mean=33.0, input_std=79.0, activation_mean={"bn": 0.0, "fc1": 0.0}, activation_std={"bn": 1.0, "fc1": 0.6}
    ),
    "watched: no layers recorded": Trace.of(input_mean=33.0, input_std=79.0),
}


@rule(
    "D01",
    kind="cause",
    needs=["entering_rms|input_std"],
    explains=[
        "exploding-gradients", "non-finite-loss", "non-finite-gradient", "dead-units", "saturated-units",
        "stalled-loss", "no-better-than-prior", "vanishing-gradients", "oscillating-loss", "abnormal-update-ratio",
        "underfitting", "loss-spike",
    ],
)  # fmt: skip
def unscaled_inputs(
    trace: Trace, *, hint: float = 16, large: float = 30, huge: float = 1000, small: float = 0.05, shift: float = 50
) -> Iterator[Finding]:
    """The first weights see numbers far from zero mean and unit scale.

    Why it hurts
        Initial weights and usual learning rates are meant for inputs of size one. A feature of size r makes its weight
        r times as powerful and the curvature of the loss along it r^2 times as large: a rate that is stable for it is
        far too small for all the others, and a first step at the usual rate saturates or kills units.

    How it decides
        By what enters the first weights, after whatever the model does to its inputs itself, and by whether it
        matters: the gradients of a fork are compared with those on standardised inputs, and a factor under 3 means that
        a normalisation undoes the scale. Then it speaks when the root mean square of a feature is `large` or more
        (hint from `hint`: sixteen grey levels train well as they are), error from `huge`; when all inputs are under
        `small`; when a feature's mean is `shift` times its standard deviation. Where the scale as a whole is undone
        behind the first layer, it speaks on features whose spreads differ a hundredfold, which are mixed before that.
        The thresholds are first guesses; sizes under `large` cost less than a factor of 1,000 in conditioning.
        A watched run knows the inputs and the first layers' outputs only: it speaks when the scale lives on in them.

    When it is wrong
        Adaptive optimizers and patience overcome moderate scales; fixed random features may want their own scale.

    References
        LeCun, Bottou, Orr, Mueller: Efficient BackProp (1998), section 4.3.
    """
    gain = trace.value("input_gain")
    if not trace.has("entering_rms"):
        yield from _watched(trace, large)
        return
    indifferent = gain is not None and gain < INDIFFERENT
    for layer, series in trace.each("entering_rms"):
        size, top = series.last, trace.value("entering_absmax", layer) or 0.0
        offset = trace.value("entering_shift", layer) or 0.0
        spread = trace.value("entering_spread", layer) or 1.0
        evidence = {"rms": size, "largest": top, "gain": gain if gain is not None else math.nan}
        seen = f"Inputs enter {layer or 'the model'}"
        if size >= large and not indifferent:
            what = f"{seen} with size {size:.3g}{_column(trace, layer)}, up to {top:.3g}{_effect(gain)}."
            severity = Severity.ERROR if size >= huge else Severity.WARNING
            yield _finding(what, layer, severity, _confidence(size), evidence)
        elif size >= large and spread >= 100:
            what = f"{seen} with features whose spreads differ by a factor of {spread:.3g}{_column(trace, layer)}."
            yield _finding(what, layer, Severity.WARNING, 0.7, {**evidence, "spread": spread})
        elif 0 < top < small and not indifferent:
            what = f"{seen} with size {size:.2g} and never above {top:.2g}, as if scaled down twice{_effect(gain)}."
            yield _finding(what, layer, Severity.WARNING, 0.75, evidence)
        elif offset >= shift and size >= 1 and not indifferent:
            what = f"{seen} with a feature whose mean is {offset:.3g} times its standard deviation."
            yield _finding(what, layer, Severity.WARNING, 0.7, {**evidence, "shift": offset})
        elif size >= hint and not indifferent:
            what = f"{seen} with size {size:.3g}{_column(trace, layer)}, up to {top:.3g}."
            yield _finding(what, layer, Severity.INFO, 0.4, evidence)


def _watched(trace: Trace, large: float) -> Iterator[Finding]:
    size = math.hypot(trace["input_mean"].median(), trace["input_std"].median())
    early = [_size(trace, name) for name, _ in list(trace.each("activation_std"))[:EARLY]]
    if size >= large and early and min(early) > INDIFFERENT:
        what = f"Inputs of size {size:.3g} enter the model, and its first layers put out {max(early):.3g}."
        yield _finding(what, "", Severity.WARNING, 0.6, {"rms": size, "first_layers": max(early)})


def _size(trace: Trace, layer: str) -> float:
    """Of a layer's outputs when they were first looked at; of saturated ones infinite: they undo no scale."""
    first = [trace.data.get(s, {}).get(layer) for s in ("activation_mean", "activation_std", "saturated_share")]
    mean, std, saturated = (0.0 if s is None or not len(s) else s.first for s in first)
    return math.inf if saturated > 0.3 else math.hypot(mean, std)


def _confidence(size: float) -> float:
    """0.64 at 30, 0.7 at 85 (raw pixels), 0.95 from 5,000 on."""
    return min(0.95, 0.6 + 0.14 * math.log10(size / 16))


def _column(trace: Trace, layer: str) -> str:
    """Names the column, where the inputs are a table of a few."""
    index, features = trace.value("entering_feature", layer), trace.facts.get("features", {}).get("mean", [])
    return f" (feature {index:.0f})" if index is not None and len(features) > 1 else ""


def _effect(gain: float | None) -> str:
    if gain is None or not gain < 1e8:
        return ""
    return f"; standardised, they change the gradients {gain:.3g}-fold"


def _finding(what: str, layer: str, severity: Severity, confidence: float, evidence: dict[str, float]) -> Finding:
    return Finding(
        what, where=(layer,) if layer else (), severity=severity, confidence=confidence, evidence=evidence,
        fixes=(Remedy("standardize-inputs"),),
    )  # fmt: skip
