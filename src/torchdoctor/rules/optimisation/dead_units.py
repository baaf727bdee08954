"""Units that put out zero for every sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

ZERO = 1 - 1e-6  # a share of zeros that is 1 but for rounding


def _trace(dead: int, units: int = 10, windows: int = 3, samples: int = 512, **signals: object) -> Trace:
    """Two layers of weights with a relu between them: `dead` units are, the others are zero half of the time."""
    zeros = [[1.0] * dead + [0.5] * (units - dead)] * windows
    facts = {"parameters": {"fc1.weight": {"shape": [units, 4]}, "fc2.weight": {"shape": [2, units]}}}
    shares = {"fc1": [[0.0] * units] * windows, "relu": zeros, "fc2": [[0.0, 0.0]] * windows}
    return Trace.of(facts, unit_zero_share=shares, window_samples={"relu": [samples] * windows}, **signals)


FIRES = {
    "most of a layer": _trace(7),
    "all of a narrow layer": _trace(3, units=3, loss=[0.69] * 50),
    "a third": _trace(3, loss=[2.3] * 50),
}
QUIET = {
    "sparse is not dead": _trace(0),
    "one of ten": _trace(1),
    "pixels that are always black": Trace.of(
        {"parameters": {"fc.weight": {"shape": [10, 4]}}},
        unit_zero_share={"flatten": [[1.0, 1.0, 0.5, 0.5]] * 3, "fc": [[0.0] * 10] * 3},
    ),
    "border positions of a flattened map": Trace.of(
        {"parameters": {"conv.weight": {"shape": [2, 1, 3, 3]}}},
        unit_zero_share={"conv": [[0.0] * 2] * 3, "relu": [[0.5] * 2] * 3, "flatten": [[1.0] * 4 + [0.5] * 4] * 3},
    ),
    "revived later": Trace.of(unit_zero_share={"relu": [[1.0] * 8, [1.0] * 8, [0.9] * 8]}),
}


@rule(
    "O05",
    kind="symptom",
    needs=["unit_zero_share"],
    explains=["vanishing-gradients", "stalled-loss", "no-better-than-prior", "underfitting"],
)
def dead_units(trace: Trace, *, share: float = 0.2, serious: float = 0.5, samples: int = 100) -> Iterator[Finding]:
    """Units of a hidden layer are zero for every sample, so no gradient reaches their weights and they stay that way.

    Why it hurts
        The layer is narrower than it looks; a layer that is dead as a whole cuts off everything before it.

    How it decides
        A unit is dead when all its values were zero over the last three windows of the watch (over those there are),
        each of at least `samples` samples (most hold 512), and in a layer that was zero as a whole in the last three
        recorded steps. A warning where `share` of a layer's units are dead, an error where `serious` are; one step
        less where the loss falls by a third all the same. Judged are activations only: what lies between two layers of
        weights and has as many units as the layer before it. So black borders of images and constant corners of
        flattened feature maps do not count. 0.2 and 0.5 are the customary bounds.

    When it is wrong
        Layers meant to be sparse (gates of a mixture of experts), and units that only rare samples need.

    References
        L. Lu et al., "Dying ReLU and Initialization: Theory and Numerical Examples", 2019.
    """
    dead = {name: _dead(name, windows, trace) for name, windows in _activations(trace, samples)}
    if not dead:
        raise CannotSay(f"needs a window of {samples} samples of a hidden layer")
    over = {name: units for name, units in dead.items() if np.mean(units) >= share}
    if not over:
        return
    worst, units = max(over.items(), key=lambda item: float(np.mean(item[1])))
    part = float(np.mean(units))
    yield Finding(
        f"{int(units.sum())} of the {len(units)} units of {worst.partition(':')[0]} are zero for every sample.",
        where=tuple(name.partition(":")[0] for name in over),
        steps=(0, trace.last_step),
        confidence=0.9 if part >= serious else 0.75,
        severity=_severity(part >= serious, learns=trace["loss"].fallen() > 1 / 3),
        evidence={"dead_share": part, "layers": len(over)},
        fixes=(Remedy("set-learning-rate", {"factor": 0.1}), Remedy("reinitialize")),
    )


def _activations(trace: Trace, samples: int) -> Iterator[tuple[str, Series]]:
    """Windows of what follows a layer of weights, before the next one, with the same number of units."""
    owners = {name.rpartition(".")[0] for name in trace.facts.get("parameters", {})}
    counts = dict(trace.each("window_samples"))
    width = 0 if owners else None  # None: nothing is known of the weights, so everything is judged
    for name, shares in trace.each("unit_zero_share"):
        if not len(shares):
            continue
        units = shares.values.reshape(len(shares), -1).shape[1]
        if name in owners:
            width = units
        elif width in (None, units):
            enough = counts[name].steps[counts[name].values >= samples] if name in counts else shares.steps
            windows = shares.without(np.setdiff1d(shares.steps, enough))
            if len(windows):
                yield name, windows


def _dead(name: str, windows: Series, trace: Trace) -> NDArray[np.bool_]:
    """(units,) True where every value of the last three windows was zero, or of the last three recorded steps."""
    last = windows.tail(3).values.reshape(min(3, len(windows)), -1)
    lately = trace.data.get("zero_share", {}).get(name, Series.of([])).tail(3)
    if len(lately) == 3 and (lately.values >= ZERO).all():
        return np.ones(last.shape[1], bool)  # it died within the window
    return np.asarray((last >= ZERO).all(axis=0))


def _severity(serious: bool, learns: bool) -> Severity:
    if learns:
        return Severity.WARNING if serious else Severity.INFO
    return Severity.ERROR if serious else Severity.WARNING
