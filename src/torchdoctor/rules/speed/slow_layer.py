"""One layer that takes most of the time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "the first of five": Trace.of(
        layer_time={"conv1": [0.03], "act1": [0.001], "conv2": [0.004], "pool": [0.001], "fc": [0.001]}
    ),
    "the head": Trace.of(layer_time={"a": [0.002], "b": [0.002], "c": [0.002], "fc": [0.05]}),
}
QUIET = {
    "evenly spread": Trace.of(layer_time={"a": [0.01], "b": [0.012], "c": [0.009], "d": [0.01]}),
    "too fast to matter": Trace.of(layer_time={"a": [3e-4], "b": [1e-5], "c": [1e-5], "d": [1e-5]}),
    "two layers: one of them must lead": Trace.of(layer_time={"a": [0.05], "b": [0.005]}),
}


@rule("P05", kind="symptom", needs=["layer_time"], stages=["evaluation"], severity=Severity.INFO)
def slow_layer(trace: Trace, *, share: float = 0.6, seconds: float = 1e-3, layers: int = 4) -> Iterator[Finding]:
    """One layer takes more time than all others together.

    Why it hurts
        It hides what all other changes for speed would bring; here alone is something to win.

    How it decides
        Of the measured forward times of the innermost layers one holds more than `share`, and takes more than `seconds`
        a batch; there are `layers` layers at least. A hint: where the layer does the work of the network, it is meant
        to take the time.

    When it is wrong
        Timed while something else kept the machine busy.

    References
        G. Amdahl, "Validity of the single processor approach", 1967.
    """
    times = {name: s.last for name, s in trace.each("layer_time") if math.isfinite(s.last) and s.last >= 0}
    if len(times) < layers:
        raise CannotSay(f"needs {layers} layers with a time, got {len(times)}")
    slowest, whole = max(times, key=lambda name: times[name]), sum(times.values())
    if times[slowest] > share * whole and times[slowest] > seconds:
        yield Finding(
            f"Layer {slowest[:60]} takes {times[slowest] / whole:.0%} of the forward time "
            f"({1000 * times[slowest]:.3g} ms of {1000 * whole:.3g} ms).",
            where=(slowest,),
            confidence=0.8,
            evidence={"seconds": times[slowest], "share": times[slowest] / whole},
        )
