"""Time that does not run while other processes have the machine, so that a busy one sees the same as an idle one.

May not: judge, print.
"""

from __future__ import annotations

from time import perf_counter, process_time

AT_LEAST = 0.1  # of the clock counts all the same: people wait, and so do models that sleep or ask a network


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._clock, self._own = perf_counter(), process_time()

    @property
    def on_the_clock(self) -> float:
        """All of the time, waiting included: what a person who looks on counts."""
        return perf_counter() - self._clock

    @property
    def seconds(self) -> float:
        """The lesser of time on the clock and time on processors: several threads at once do not count several times,
        and what other processes took does not count at all."""
        clock = self.on_the_clock
        return max(min(clock, process_time() - self._own), AT_LEAST * clock)
