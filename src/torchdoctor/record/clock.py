"""The time of the user's own code: wall time, on a clock that stands still while the watch is working.

May not: know what is measured, or when a step is sampled.
"""

from __future__ import annotations

from time import perf_counter


class Clock:
    """Seconds. `now` is the user's time when the current hook was entered; phases are those of the step going on."""

    def __init__(self) -> None:
        self.own = 0.0  # of watching, since the start
        self.now = 0.0
        self._fetched = 0.0  # waiting for a DataLoader, not yet charged to a step
        self.begin_step()

    def start(self) -> None:
        """The first step begins now."""
        self._step_began = perf_counter() - self.own

    def begin_step(self) -> None:
        self.phases: dict[str, float] = {}
        self._step_began, self._own_before = self.now, self.own

    def add(self, phase: str, since: float) -> None:
        """The phase took from `since` until now."""
        self.phases[phase] = self.phases.get(phase, 0.0) + self.now - since

    @property
    def in_phases(self) -> float:
        """All phases of this step together, so far."""
        return sum(self.phases.values())

    def fetched(self, seconds: float) -> None:
        self._fetched += seconds

    def charge_fetched(self) -> None:
        """What was fetched since the last time is this step's wait for data."""
        self.phases["data"] = self.phases.get("data", 0.0) + self._fetched
        self._fetched = 0.0

    def forget_fetched(self) -> None:
        """It was for an evaluation, whose time is the step's rest."""
        self._fetched = 0.0

    def end_step(self) -> tuple[dict[str, float], float]:
        """The phases, with the rest, and the user's time of the step."""
        if self._fetched:  # for the next step, ahead of time
            self.charge_fetched()
        users = self.now - self._step_began
        return {**self.phases, "rest": max(0.0, users - self.in_phases)}, users

    def next_step(self) -> float:
        """The next step begins. Returns what watching took in the one that ended, this hook until here included."""
        this_hook = perf_counter() - self.own - self.now
        own = self.own - self._own_before + this_hook
        self.begin_step()
        self._own_before += this_hook  # it is added to `own` when the hook returns, but belongs to the step that ended
        return own
