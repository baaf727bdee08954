"""Answers that take longer than they may, or than they need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace


def _timed(one: float, ready: float | None = None, target: float | None = None, **layers: float) -> Trace:
    """Milliseconds."""
    times = {"one": one / 1000, **({} if ready is None else {"one, ready": ready / 1000})}
    facts: dict[str, Any] = {} if target is None else {"latency_target": target / 1000}
    return Trace.of(facts, answer_time=times, layer_time={name: ms / 1000 for name, ms in layers.items()})


FIRES = {
    "slower than was asked for": _timed(42.0, target=20.0, conv1=31.0, conv2=6.0, fc=1.0),
    "norms that could be folded: a hint": _timed(12.0, ready=8.5),
}
QUIET = {
    "within what was asked for": _timed(12.0, target=20.0, conv1=8.0),
    "folding gains little": _timed(12.0, ready=11.4),
    "too fast to matter": _timed(0.4, ready=0.25),
    "nobody said how fast": _timed(42.0, conv1=31.0),
}


@rule("I03", kind="symptom", needs=["answer_time"], stages=["evaluation"])
def slow_inference(trace: Trace, *, target: float = 0.0, gain: float = 1.2, least: float = 1e-3) -> Iterator[Finding]:
    """A single answer takes longer than the stated target, or than a copy made ready for answering.

    Why it hurts
        Somebody waits for each answer, and a service needs as many more machines as answers are slower.

    How it decides
        The median time of one sample in eval mode without gradients, over `target` seconds (or the run's fact
        latency_target; 0: none was stated): a warning that names the slowest layer. Without one, a hint where a copy
        with its batch normalisation folded into the layers before it and its dropout taken out answers the same `gain`
        times as fast, in turns on the same machine, and an answer takes `least` seconds at least. First guesses.

    When it is wrong
        Timed while something else kept the machine busy, or on another one than answers will be given on.

    References
        Jacob et al.: Quantization and Training of Neural Networks (2018), on folding batch normalisation.
    """
    one, ready = trace.value("answer_time", "one"), trace.value("answer_time", "one, ready")
    stated = trace.facts.get("latency_target")
    limit = target or (float(stated) if isinstance(stated, (int, float)) else 0.0)
    if one is None or not one > 0:
        return
    layers = {name: s.last for name, s in trace.each("layer_time") if len(s) and s.last > 0}
    slowest = max(layers, key=lambda name: layers[name], default="")
    if limit > 0 and one > limit:
        most = f"; {slowest[:40]} takes most of it" if slowest else ""
        yield Finding(
            f"An answer takes {1000 * one:.3g} ms, and may take {1000 * limit:.3g}{most}.",
            where=(slowest,) if slowest else (),
            severity=Severity.WARNING,
            confidence=0.9,
            evidence={"seconds": one, "target": limit},
        )
    if ready is not None and ready > 0 and one >= least and one >= gain * ready:
        yield Finding(
            f"An answer takes {1000 * one:.3g} ms, and {1000 * ready:.3g} by a copy with norms folded and dropout "
            "taken out.",
            severity=Severity.INFO,
            confidence=0.7,
            evidence={"seconds": one, "ready": ready, "faster": one / ready},
        )
