"""The cost ceiling that holds itself: it decides which steps are sampled, from what watching has really cost so far.

A budget fills with `share` of the time the user's own code takes, less what the watch cannot see of its own cost, and
is drawn on by everything the watch does. A step is sampled when the budget covers what a sampled step has cost lately.
Steps 0, 1, 2, 4, 8, 16 ... are sampled whatever they cost (ten of them in a thousand steps): faults of the loop show in
the first two, and a fast loop on a tiny network would otherwise never be looked at.

May not: know what is recorded. Times are host seconds; on a GPU, where kernels run behind the host's back, they count
what watching makes the host wait, not what it makes the device compute.
"""

from __future__ import annotations

GAP = 10  # steps between two sampled ones at least: neighbours say the same
SMOOTHING = 0.3  # weight of the newest sampled step in the running estimate of what one costs
# Of what watching costs, the part that its own clock sees. The rest is caches and memory that the loop finds changed:
# a sampled step of ResNet-20 took 106 ms of processor time more than a bare one, of which the hooks measured 66 to 91;
# and at 0.7 a ceiling of 2 % came out as 2.3 % on that network and as 2.4 % on a transformer.
SEEN = 0.55


class Ceiling:
    """Told of every step; answers whether the next one is to be sampled."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.own = 0.0  # seconds of watching, all in all
        self.users = 0.0  # seconds of the user's own code
        self._budget = 0.0
        self._expected = 0.0  # seconds a sampled step costs
        self._last_sampled = -GAP

    def step(self, step: int, users: float, own: float, was_sampled: bool) -> bool:
        """Step number `step` has ended: it took the user's code `users` seconds and the watch `own` seconds more."""
        self.own += own
        self.users += users
        self._budget += SEEN * self.share * users - own
        if was_sampled:
            self._last_sampled = step
            self._expected = (1 - SMOOTHING) * (self._expected or own) + SMOOTHING * own
        coming = step + 1
        forced = coming & (coming - 1) == 0
        return forced or (coming - self._last_sampled >= GAP and self._budget >= self._expected)

    @property
    def measured(self) -> float:
        """Time spent watching over the time of the user's own code, so far."""
        return self.own / self.users if self.users > 0 else 0.0
