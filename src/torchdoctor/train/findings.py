"""What the rules say of a run that is still going on.

May not: judge (it asks for a report), stop a training.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from torchdoctor.judge.report import Report

AT_MOST = 0.01  # of the time goes into asking
SECONDS = 5.0  # between two askings at least


class OpenFindings:
    """names(): the findings above info, as of the last time the rules were asked, which `names` does when it is due."""

    def __init__(self, report: Callable[[], Report]) -> None:
        self._report = report
        self._names: tuple[str, ...] = ()
        self._next = perf_counter() + SECONDS

    def names(self) -> tuple[str, ...]:
        began = perf_counter()
        if began >= self._next:
            self._names = tuple(f.name for f in self._report() if f.alarm)
            now = perf_counter()
            self._next = now + max(SECONDS, (now - began) / AT_MOST)
        return self._names
