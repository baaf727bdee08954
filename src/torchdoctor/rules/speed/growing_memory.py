"""Memory that grows from step to step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series, trend
from torchdoctor.judge.trace import Trace

_STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512]
_AT = np.array(_STEPS)


def _memory(values: object) -> Trace:
    return Trace.of(memory=Series.of(values, steps=_STEPS))  # type: ignore[arg-type]


FIRES = {
    "a megabyte a step": _memory(8e8 + 1e6 * _AT),
    "half a megabyte a step, after a start of its own": _memory(8e8 + 4e8 * np.minimum(_AT, 8) / 8 + 5e5 * _AT),
}
QUIET = {
    "level": _memory(8e8 + 0 * _AT),
    "the allocator takes what it needs and is done": _memory(8e8 + 6e8 * (1 - np.exp(-_AT / 20))),
    "a little more now and then": _memory(8e8 + 2e7 * (_AT > 100) + 1e7 * (_AT > 300)),
    "up and down": _memory(8e8 + 4e8 * (np.arange(12) % 2)),
}


@rule("P03", kind="cause", needs=["memory"], explains=["memory-overrun"])
def growing_memory(
    trace: Trace, *, growth: float = 1.5e8, share: float = 0.15, points: int = 8, steps: int = 50
) -> Iterator[Finding]:
    """Memory grows with every step, without an end to it.

    Why it hurts
        The run ends when the memory does, hours later and without a cause in sight. The usual ones: losses added up or
        kept in a list without `.item()` or `.detach()`, each of which holds its whole graph; outputs collected over an
        epoch.

    How it decides
        Over the last seven eighths of the run memory grew by `growth` bytes and `share` of what there was; it grows all
        the time (Kendall's tau 0.8), and in the second half of these steps not less than half as fast as in the first:
        a cache or an allocator that warms up grows less and less. `points` recorded values over `steps` steps at least.
        First guesses; healthy runs here grew by 20 MB at most.

    When it is wrong
        A dataset that is read into memory bit by bit in the first epoch; the growth ends with it.

    References
        The PyTorch documentation's frequently asked questions, on memory held by accumulated history.
    """
    memory = trace["memory"].finite()
    if len(memory) < points or memory.steps[-1] - memory.steps[0] < steps:
        raise CannotSay(f"needs {points} values over {steps} steps, got {len(memory)}")
    first, last = int(memory.steps[0]), int(memory.steps[-1])
    late = memory.between(first + (last - first) // 8, last)
    if len(late) < 3:
        raise CannotSay("too few values in the later part of the run")
    grown = late.last - late.first
    if grown < max(growth, share * late.first) or trend(late.values) < 0.8:
        return
    early, end = late.rates()
    if not end >= 0.5 * early:
        return
    each = grown / max(1, last - int(late.steps[0]))
    yield Finding(
        f"Memory grew from {late.first / 1e6:.0f} to {late.last / 1e6:.0f} MB between steps {late.steps[0]} and "
        f"{last}, {each / 1e3:.3g} kB a step, and goes on.",
        steps=(int(late.steps[0]), last),
        confidence=0.8,
        evidence={"grown": grown, "a_step": each},
        fixes=(Remedy("use-own-loop"),),
    )
