"""Clocks that run alike on every machine.

Probes stop when their time is up and leave out what does not fit into it, as they should; so what they say hangs on how
fast the machine is and what else it does, and a test that looks at it fails by chance. In tests every reading of the
stopwatch is therefore TICK later than the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from torchdoctor.probes import stopwatch

TICK = 2.0**-12  # seconds: about a pass of a small network; a power of two, so that differences are exact


STEADY = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); from steady import steady; steady()\n"


def steady() -> None:
    """From now on in this process; STEADY does it in one of its own, in front of a program."""
    for clock in ("perf_counter", "process_time"):
        setattr(stopwatch, clock, _ticking())


class Hand:
    """A clock that goes on when it is told to, and a millionth of a second with every look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


def _ticking() -> Callable[[], float]:
    readings = count()
    return lambda: next(readings) * TICK
