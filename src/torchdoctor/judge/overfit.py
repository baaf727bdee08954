"""A validation loss that climbs while the training loss falls: what the rules on overfitting share.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from torchdoctor.judge.rule import CannotSay
from torchdoctor.judge.series import Series, trend
from torchdoctor.judge.trace import Trace


@dataclass(frozen=True)
class Climb:
    """The validation loss went from `low` at step `since` to `last` at `until`; the training loss from `then` to `now`.

    score_holds: the validation score ended within 2 % of its best, so that only its certainty got worse.
    """

    low: float
    last: float
    since: int
    until: int
    then: float
    now: float
    score_holds: bool


def climb(trace: Trace, rise: float, stretch: float, epochs: int) -> Climb | None:
    """None when there is none. Of a running median of three, the last value lies more than `rise` above the lowest and
    above three times its noise, the lowest at least `stretch` of the run back (three values at least), and from there
    it climbs on the whole, while the training loss does not. Raises CannotSay under `epochs` values."""
    val, loss = trace["val_loss"].finite(), trace["loss"].finite()
    if len(val) < epochs:
        raise CannotSay(f"needs {epochs} validation losses, got {len(val)}")
    if not len(loss):
        raise CannotSay("no finite training loss is recorded")
    smooth = val.smooth(3)
    best = int(np.argmin(smooth.values))
    low, last, since = float(smooth.values[best]), smooth.last, int(smooth.steps[best])
    if len(smooth) - 1 - best < max(3, stretch * len(val)) or last - low < max(rise * abs(low), 3 * val.noise()):
        return None
    if trend(smooth.values[best:]) < 0.5:
        return None
    then, now = _training_loss(loss, since), _training_loss(loss, int(val.steps[-1]))
    if not now <= then or not now < last:
        return None
    return Climb(low, last, since, int(val.steps[-1]), then, now, _score_holds(trace["val_score"]))


def _training_loss(loss: Series, step: int) -> float:
    """Its level over the twentieth of the run that ends at `step`."""
    window = max(1, int(loss.steps[-1] - loss.steps[0]) // 20)
    near = loss.between(step - window, step)
    return near.median() if len(near) else float(loss.at(np.array([step]))[0])


def _score_holds(score: Series) -> bool:
    values = score.finite().smooth(3).values
    if not len(values):
        return False
    best = float(values.max())
    return best - float(values[-1]) <= 0.02 * max(abs(best), float(np.ptp(values)))
