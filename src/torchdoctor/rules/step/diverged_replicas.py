"""Processes that should train one network, and train several."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

STEPS = [0, 1, 2, 4, 8]


def _looks(**spread: list[float]) -> Trace:
    """Of parameters, at the first steps."""
    named = {name.replace("_", "."): Series.of(v, steps=STEPS[: len(v)]) for name, v in spread.items()}
    return Trace.of(replica_spread=named)


FIRES = {
    "nothing exchanges the gradients": _looks(fc_weight=[0.0, 2e-4, 6e-4, 1e-3, 4e-3], fc_bias=[0.0, 1e-3, 0.01, 0.1]),
    "each process drew its own weights": _looks(fc_weight=[0.01, 0.012, 0.011, 0.013, 0.012]),
    "a head that is not wrapped": _looks(body_weight=[0.0] * 5, head_weight=[0.0, 3e-4, 9e-4, 2e-3, 5e-3]),
}  # fmt: skip
QUIET = {
    "wrapped": _looks(fc_weight=[0.0] * 5, fc_bias=[0.0] * 5),
    "unlike processors round the norms unlike": _looks(fc_weight=[0.0, 1e-7, 2e-7, 1e-7, 3e-7]),
    "averaged now and then": _looks(fc_weight=[0.0, 2e-4, 0.0, 3e-4, 2e-4]),
}


@rule("S11", kind="cause", severity=Severity.ERROR, needs=["replica_spread"])
def diverged_replicas(trace: Trace, *, apart: float = 1e-5, looks: int = 2) -> Iterator[Finding]:
    """The copies of the weights in the processes of one training are no longer the same.

    Why it hurts
        Each process trains a network of its own on its share of the data; one of them is kept, and the rest of the work
        is thrown away. Or gradients of unlike weights are averaged, which are right for none of them.

    How it decides
        The norm of each parameter, at steps 0, 1, 2, 4, 8 ..., beside that of the other processes: apart by more than
        the share `apart` from some step on to the end, at `looks` steps at least. Equal copies that get equal gradients
        stay equal to the bit; `apart` leaves room for norms that unlike processors round otherwise (1e-7). Whoever
        averages weights now and then, as local SGD does, is equal again each time.

    When it is wrong
        Processes that train one network each on purpose, as members of an ensemble or of a search. Running statistics
        of BatchNorm are not compared: they differ between processes in sound runs too.

    References
        Li et al.: PyTorch Distributed: Experiences on Accelerating Data Parallel Training (2020).
    """
    every = {name: series.finite() for name, series in trace.each("replica_spread")}
    seen = max((len(series) for series in every.values()), default=0)
    if seen < looks:
        raise CannotSay(f"needs {looks} steps at which processes were compared, got {seen}")
    since = {name: _since(series, apart, looks) for name, series in every.items()}
    parted = {name: start for name, start in since.items() if start is not None}
    if not parted:
        return
    worst = sorted(parted, key=lambda name: -every[name].last)
    first, most = min(parted.values()), every[worst[0]].last
    again = " and were equal before" if first > 0 else ""
    yield Finding(
        f"{len(parted)} of {len(every)} parameters differ between processes from step {first} on{again}: norms by up "
        f"to {most:.2g} of their size.",
        where=tuple(worst[:8]),
        steps=(first, max(int(every[name].steps[-1]) for name in parted)),
        confidence=0.95,
        evidence={"parameters": float(len(parted)), "spread": most},
    )


def _since(series: Series, apart: float, looks: int) -> int | None:
    """The step from which on it is apart to the end; None when it is not, or was equal again in between."""
    over = series.values > apart
    if len(over) < looks or not over[-1] or np.diff(over.astype(int)).min(initial=0) < 0:
        return None
    start = int(np.argmax(over))
    return int(series.steps[start]) if len(over) - start >= looks else None
