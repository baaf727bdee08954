"""How early a true cause could have been named: the rules over what was recorded until one step after another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.judge import judge
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

LADDER = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def first_step(probed: Trace, watched: Trace, right: frozenset[str]) -> int | None:
    """0 when the probes alone, before training, raise an alarm by one of the right names; else the first step of LADDER
    (or the last one) after which they and the watched run do; None when neither does.

    Facts that the watch notes at the end of a run are there from the start, except the number of steps: what is said of
    gradients cleared in vain, or of passes over the data, may come later in a live run.
    """
    if _named(probed, right):
        return 0
    return next((step for step in _steps(watched) if _named(probed.merged(until(watched, step)), right)), None)


def until(trace: Trace, step: int) -> Trace:
    """What was recorded up to and with a step."""
    data = {
        signal: {subject: _until(series, step) for subject, series in group.items()}
        for signal, group in trace.data.items()
    }
    facts = {**trace.facts, "steps": min(step, trace.facts["steps"])} if "steps" in trace.facts else trace.facts
    return Trace(data, facts)


def _until(series: Series, step: int) -> Series:
    kept = int(np.searchsorted(series.steps, step, side="right"))
    return Series(series.steps[:kept], series.values[:kept])


def _steps(trace: Trace) -> Iterator[int]:
    last = trace.last_step
    yield from (step for step in LADDER if step < last)
    yield last


def _named(trace: Trace, right: frozenset[str]) -> bool:
    return any(f.alarm and f.name in right for f in judge(trace))
