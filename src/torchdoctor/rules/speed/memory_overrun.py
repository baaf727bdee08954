"""Memory that ran out, is about to, or is as good as full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series, trend
from torchdoctor.judge.trace import Trace

GB = 1e9
_STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]
_AT = np.array(_STEPS)


def _run(limit: float, memory: Any = None, peak: Any = None, **facts: Any) -> Trace:
    """limit: GB; memory, peak: bytes at the sampled steps."""
    told = {"memory_limit": {"bytes": limit * GB, "of": "GPU"}, "memory_parts": _PARTS, **facts}
    some = {"memory": memory, "peak_memory": peak}
    return Trace.of(told, **{k: Series.of(v, steps=_STEPS[: len(v)]) for k, v in some.items() if v is not None})


_PARTS = {"weights": 0.4e9, "gradients": 0.4e9, "optimizer state": 0.8e9}
_ERROR = {"message": "OutOfMemoryError: CUDA out of memory.", "asked": 0.8e9, "module": "body.3", "phase": "forward"}

FIRES = {
    "an allocation that failed": _run(16, out_of_memory={**_ERROR, "step": 0, "held": 15.6e9, "batch": 256}),
    "on the CPU, which tells less": _run(
        8, out_of_memory={**_ERROR, "module": "", "phase": "backward", "step": 3, "held": None, "batch": None}
    ),
    "a peak that leaves a twentieth": _run(16, peak=[14.9e9, 15.2e9, 15.2e9]),
    "it grows, and the end is in sight": _run(16, memory=4e9 + 3e7 * _AT, peak=5e9 + 3e7 * _AT),
}
QUIET = {
    "half of it": _run(16, memory=6e9 + 0 * _AT, peak=8e9 + 0 * _AT),
    "it warms up and stays": _run(16, memory=4e9 + 6e9 * (1 - np.exp(-_AT / 20)), peak=12e9 + 0 * _AT),
    "it grows so slowly that the run ends first": _run(16, memory=4e9 + 1e6 * _AT, peak=5e9 + 1e6 * _AT),
}


@rule("P07", kind="cause", needs=[])
def memory_overrun(
    trace: Trace, *, near: float = 0.92, ahead: float = 2.0, points: int = 8, least: float = 1e8
) -> Iterator[Finding]:
    """The memory of the device ran out, will if the run goes on, or is nearly full.

    Why it hurts
        The run ends, and what was not saved is lost; near the limit a longer sequence or another process on the device
        is enough. On a CPU the system may end the process without a word.

    How it decides
        An error of torch's allocator that ended the watched loop, beside what weights, gradients and optimizer hold;
        what is left over are activations and what the loop keeps. Or the most that was in use is `near` of what the
        GPU, the container or the machine has: a warning. Or memory grew at nearly every look over the later part of the
        run (Kendall's tau 0.8, `points` looks), by `least` bytes and not more and more slowly, and at that rate is full
        after `ahead` times as many steps as there were. `near` and `ahead` are first guesses: allocators keep a few per
        cent to themselves.

    When it is wrong
        Growth that ends with the first epoch, as of a cache. Memory that another process takes is not counted.

    References
        The PyTorch documentation: CUDA semantics, memory management; PYTORCH_ALLOC_CONF.
    """
    limit, failed = trace.facts.get("memory_limit"), trace.facts.get("out_of_memory")
    if isinstance(failed, dict):
        yield _failed(failed, trace)
        return
    peak, memory = trace["peak_memory"].finite(), trace["memory"].finite()
    if not isinstance(limit, dict) or not limit.get("bytes", 0) > 0 or not len(peak) + len(memory):
        raise CannotSay("how much memory there is, or is used, was not recorded")
    full = float(limit["bytes"])
    most = float(peak.values.max()) if len(peak) else float(memory.values.max())
    if most >= near * full:
        yield Finding(
            f"Up to {most / GB:.3g} of the {limit.get('of')}'s {full / GB:.3g} GB were in use"
            f"{_held(trace.facts.get('memory_parts'))}.",
            steps=(0, trace.last_step),
            severity=Severity.WARNING,
            confidence=0.7,
            evidence={"peak": most, "limit": full},
        )
        return
    if len(memory) < points:
        return
    late = memory.tail(max(points - 2, len(memory) // 2))
    ran = int(late.steps[-1] - late.steps[0])
    grown = late.last - late.first
    if ran < 1 or grown < least or trend(late.values) < 0.8:
        return
    early, rate = late.rates()
    if not rate >= 0.5 * early:
        return
    left = (full - late.last) / rate
    if left <= ahead * late.steps[-1]:
        yield Finding(
            f"Memory grows by {rate / 1e6:.3g} MB a step, and the {limit.get('of')}'s {full / GB:.3g} GB are "
            f"full in about {left:,.0f} steps.",
            steps=(int(late.steps[0]), int(late.steps[-1])),
            severity=Severity.WARNING,
            confidence=0.7,
            evidence={"a_step": rate, "limit": full, "steps_left": left},
        )


def _failed(error: dict[str, Any], trace: Trace) -> Finding:
    step, module = int(error.get("step") or 0), str(error.get("module") or "")
    where = f" in {module[:40]}" if module else f" in {error['phase']}" if error.get("phase") else ""
    asked = f": {float(error['asked']) / 1e6:,.0f} MB more could not be had" if error.get("asked") else ""
    batch, parts = int(error.get("batch") or 0), dict(trace.facts.get("memory_parts") or {})
    size = f" with batches of {batch}" if batch else ""
    if error.get("held"):
        parts["activations and all else"] = max(0.0, float(error["held"]) - sum(map(float, parts.values())))
    return Finding(
        f"Memory ran out at step {step}{where}{size}{asked}.",
        where=(module,) if module else (),
        steps=(step, step),
        severity=Severity.ERROR,
        confidence=0.95,
        fixes=(Remedy("set-batch-size", {"batch_size": batch // 4}),) if batch >= 4 else (),
        evidence={f"bytes_of_{name.replace(' ', '_')}": float(value) for name, value in parts.items()},
    )


def _held(parts: Any) -> str:
    """By weights, gradients and optimizer."""
    known = parts if isinstance(parts, dict) else {}
    return f", {sum(map(float, known.values())) / GB:.2g} by weights, gradients and optimizer" if known else ""
