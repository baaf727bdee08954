"""Keep what the watch does apart from the loop it watches: its time off the loop's clock, its faults out of the loop.

May not: know what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from torchdoctor.record.activations import Hook
from torchdoctor.record.clock import Clock
from torchdoctor.record.nonfinite import Search

Failed = Callable[[Exception], None]


class Guard:
    """Wraps every hook. `closed`: the watch has failed, and no hook does anything any more."""

    def __init__(self, clock: Clock, search: Search, failed: Failed) -> None:
        """failed: told of an error, unless a hook has its own way to take it."""
        self._clock, self._search, self._told = clock, search, failed
        self.closed = False

    def hook(self, call: Callable[..., None]) -> Hook:
        """For a module or an optimizer."""
        return Hook(self.around(call))

    def around(self, call: Callable[..., None], failed: Failed | None = None) -> Callable[..., None]:
        """`call`, on the watch's own time; quiet while the search for a NaN calls the model itself."""
        clock, search, told = self._clock, self._search, failed or self._told

        def guarded(*args: object) -> None:
            if search.going_on or self.closed:
                return
            entered = perf_counter()
            clock.now = entered - clock.own
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001 - training goes on whatever breaks in here
                told(error)
            clock.own += perf_counter() - entered

        return guarded
