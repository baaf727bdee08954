"""Steps that wait for their data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _steps(data: float, forward: float, backward: float) -> Trace:
    """Milliseconds, 60 steps."""
    phases = {"data": data, "forward": forward, "backward": backward, "optimizer": 0.3, "rest": 0.3}
    return Trace.of(phase_time={name: [value / 1000] * 60 for name, value in phases.items()})


FIRES = {
    "four fifths of a step": _steps(40.0, 3.0, 6.0),
    "only a hint: a third of a step": _steps(15.0, 10.0, 20.0),
}
QUIET = {
    "a small network on tensors in memory": _steps(0.4, 0.2, 0.3),
    "the network takes the time": _steps(3.0, 40.0, 80.0),
    "once an epoch the workers start": Trace.of(
        phase_time={"data": [0.5] + [0.001] * 59, "forward": [0.01] * 60, "backward": [0.02] * 60}
    ),
}


@rule("P01", kind="cause", needs=["phase_time"], explains=["idle-device"])
def slow_data_loading(
    trace: Trace, *, share: float = 0.5, hint: float = 0.25, least: float = 0.005, steps: int = 20
) -> Iterator[Finding]:
    """The training step waits for its data.

    Why it hurts
        The processor or GPU stands still meanwhile: every epoch takes as much longer as the loader is late.

    How it decides
        The median time that a step waits for its batch, over the median time of the whole step: a warning from `share`,
        a hint from `hint`, and only above `least` seconds a batch, since less is the price of any loader. Medians, so
        that the start of the workers in each epoch does not count. `steps` steps at least. All are first guesses;
        healthy runs here waited 0.1 to 0.6 ms.

    When it is wrong
        Data from a source that cannot be faster, such as a sensor or a simulation.

    References
        torch.utils.data.DataLoader: num_workers, prefetch_factor, pin_memory.
    """
    phases = {name: series.finite() for name, series in trace.each("phase_time")}
    if "data" not in phases or len(phases["data"]) < steps:
        raise CannotSay(f"needs {steps} steps with their phases, got {len(phases.get('data', ()))}")
    each = {name: series.median() for name, series in phases.items() if len(series)}
    waited, whole = each["data"], float(np.sum(list(each.values())))
    if not waited >= least or not whole > 0 or not waited >= hint * whole:
        return
    yield Finding(
        f"A step waits {1000 * waited:.3g} ms of its {1000 * whole:.3g} ms for the batch.",
        steps=(int(phases["data"].steps[0]), int(phases["data"].steps[-1])),
        confidence=0.9,
        severity=Severity.WARNING if waited >= share * whole else Severity.INFO,
        evidence={"waited": waited, "step": whole, "share": waited / whole},
        fixes=(Remedy("keep-in-memory"),),
    )
