"""A device that stands still for most of the step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

WORK = ("forward", "backward", "optimizer")


def _steps(data: float, work: float, rest: float) -> Trace:
    """Milliseconds, 60 steps."""
    phases = {"data": data, "forward": work / 3, "backward": work / 3, "optimizer": work / 3, "rest": rest}
    return Trace.of(phase_time={name: [value / 1000] * 60 for name, value in phases.items()})


FIRES = {
    "it waits for data": _steps(40.0, 6.0, 1.0),
    "pictures are drawn in every step": _steps(1.0, 6.0, 60.0),
    "half of the step, a hint": _steps(10.0, 16.0, 10.0),
}
QUIET = {
    "a small network on tensors in memory": _steps(0.4, 0.5, 0.3),
    "the network takes the time": _steps(3.0, 120.0, 5.0),
    "an evaluation once an epoch": Trace.of(
        phase_time={"forward": [0.02] * 60, "backward": [0.02] * 60, "rest": ([0.0] * 19 + [2.0]) * 3}
    ),
}


@rule("P04", kind="symptom", needs=["phase_time"])
def idle_device(
    trace: Trace, *, share: float = 0.7, hint: float = 0.5, least: float = 0.01, steps: int = 20
) -> Iterator[Finding]:
    """For most of a training step neither forward, backward nor optimizer is at work.

    Why it hurts
        The processor or GPU that is paid for stands still.

    How it decides
        By the medians over the run: what a step waits for its batch and what the loop does besides (metrics, logging,
        drawing), over the whole step; a warning from `share`, a hint from `hint`, where it is `least` seconds or more.
        `steps` steps at least. First guesses. Which of the two it is stands in the message; waiting for data is a
        cause of its own, slow-data-loading.

    When it is wrong
        On a GPU the host runs ahead, and a phase holds the time of its kernels only where the loop waits for them: then
        the rest may be the network's own work.

    References
        torch.profiler shows what the rest of a step is.
    """
    phases = {name: series.finite() for name, series in trace.each("phase_time")}
    count = max((len(series) for series in phases.values()), default=0)
    if count < steps:
        raise CannotSay(f"needs {steps} steps with their phases, got {count}")
    each = {name: series.median() for name, series in phases.items() if len(series)}
    whole = float(np.sum(list(each.values())))
    idle = {name: seconds for name, seconds in each.items() if name not in WORK}
    stands = float(np.sum(list(idle.values())))
    if not stands >= least or not stands >= hint * whole:
        return
    most = max(idle, key=lambda name: idle[name])
    what = "it waits for the batch" if most == "data" else "the loop does other things"
    yield Finding(
        f"For {1000 * stands:.3g} ms of its {1000 * whole:.3g} ms a step computes nothing: {what}.",
        steps=(0, trace.last_step),
        confidence=0.8,
        severity=Severity.WARNING if stands >= share * whole else Severity.INFO,
        evidence={"idle": stands, "step": whole, "share": stands / whole},
    )
