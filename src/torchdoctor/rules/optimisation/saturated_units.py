"""Units that stay at the ends of their activation's range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _trace(ends: int, units: int = 16, windows: int = 3, samples: int = 512, **signals: object) -> Trace:
    """Two layers of weights with a tanh between them: `ends` units stay at the ends, the others are there at times."""
    shares = [[0.99] * ends + [0.2] * (units - ends)] * windows
    facts = {"parameters": {"fc1.weight": {"shape": [units, 4]}, "fc2.weight": {"shape": [2, units]}}}
    layers = {"fc1": [[0.05] * units] * windows, "tanh": shares, "fc2": [[0.05, 0.05]] * windows}
    return Trace.of(facts, unit_saturated_share=layers, window_samples={"tanh": [samples] * windows}, **signals)


FIRES = {
    "all of a layer": _trace(16, loss=[0.69] * 50),
    "a third, and it learns all the same": _trace(6, loss=list(np.geomspace(2.3, 0.1, 50))),
}
QUIET = {
    "some of the time": _trace(0),
    "two units that do not vary": _trace(2),
    "scores of the last layer": Trace.of(
        {"parameters": {"fc.weight": {"shape": [16, 4]}}}, unit_saturated_share={"fc": [[0.99] * 16] * 3}
    ),
    "four samples": _trace(16, samples=4),
}


@rule(
    "O06",
    kind="symptom",
    needs=["unit_saturated_share"],
    explains=["vanishing-gradients", "stalled-loss", "no-better-than-prior", "underfitting"],
)
def saturated_units(
    trace: Trace, *, ends: float = 0.9, share: float = 0.2, serious: float = 0.5, samples: int = 100
) -> Iterator[Finding]:
    """Units of a hidden layer stay at the ends of their activation's range, where its slope is next to nothing.

    Why it hurts
        A gradient that passes them is multiplied by that slope; the weights before them hardly move, and what they
        say is one bit.

    How it decides
        A unit is saturated when `ends` of its values over the last three windows of the watch lay within 3 % of its
        layer's range from the least or greatest value of the layer; windows of at least `samples` samples. A hint
        where `share` of a layer's units are, and more than two of them (of units that do not vary two lie at the ends
        by definition); a warning where `serious` are and the loss has not fallen by a third. Judged is what lies
        between two layers of weights, never what weights themselves put out. No healthy recipe measured here had a
        layer with any such unit; sigmoids fed with unscaled inputs had six in ten and more.

    When it is wrong
        Gates and codes that are meant to be nearly binary.

    References
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    found = {name: _saturated(windows, ends) for name, windows in _activations(trace, samples)}
    if not found:
        raise CannotSay(f"needs a window of {samples} samples of a hidden layer")
    over = {name: n for name, n in found.items() if n[0] > 2 and n[0] >= share * n[1]}
    if not over:
        return
    worst, (count, units) = max(over.items(), key=lambda item: item[1][0] / item[1][1])
    stuck = count >= serious * units and trace["loss"].fallen() < 1 / 3
    yield Finding(
        f"{count} of the {units} units of {worst.partition(':')[0]} stay at the ends of their range.",
        where=tuple(name.partition(":")[0] for name in over),
        steps=(0, trace.last_step),
        confidence=0.8 if stuck else 0.5,
        severity=Severity.WARNING if stuck else Severity.INFO,
        evidence={"saturated_share": count / units, "layers": len(over)},
        fixes=(Remedy("standardize-inputs"), Remedy("replace-activation", {"to": "relu"}), Remedy("reinitialize")),
    )


def _activations(trace: Trace, samples: int) -> Iterator[tuple[str, Series]]:
    """Windows of what follows a layer of weights and precedes another."""
    owners = {name.rpartition(".")[0] for name in trace.facts.get("parameters", {})}
    counts = dict(trace.each("window_samples"))
    names = [name for name, _ in trace.each("unit_saturated_share")]
    last = max((i for i, name in enumerate(names) if name in owners), default=len(names))
    for place, (name, shares) in enumerate(trace.each("unit_saturated_share")):
        if name in owners or place > last or not len(shares):
            continue
        enough = counts[name].steps[counts[name].values >= samples] if name in counts else shares.steps
        windows = shares.without(np.setdiff1d(shares.steps, enough))
        if len(windows):
            yield name, windows


def _saturated(windows: Series, ends: float) -> tuple[int, int]:
    """How many units, of how many."""
    last = windows.tail(3).values.reshape(min(3, len(windows)), -1)
    return int((last >= ends).all(axis=0).sum()), last.shape[1]
