"""A loss that swings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_STEPS = np.arange(400)
_NOISE = np.random.default_rng(0).normal(0, 0.3, 400)
_LARGE = {"fc.weight": [0.05] * 9}
FIRES = {
    "up and down in slow swings": Trace.of(loss=2 + 1.5 * np.sin(_STEPS / 20) + _NOISE, update_ratio=_LARGE),
    "jumps from step to step, as it did not at first": Trace.of(
        loss=2.3 + np.abs(_NOISE) * np.minimum(_STEPS, 60) / 6, update_ratio=_LARGE
    ),
    "zigzag on a full batch": Trace.of(loss=1 + 0.3 * (-1.0) ** _STEPS, update_ratio=_LARGE),
    "small steps, so only a hint": Trace.of(loss=2 + 1.5 * np.sin(_STEPS / 20), update_ratio={"fc.weight": [1e-3] * 9}),
}
QUIET = {
    "noise of small batches": Trace.of(loss=2 + 2 * _NOISE, update_ratio=_LARGE),
    "noise on the way down": Trace.of(loss=2.3 * np.exp(-_STEPS / 50) + _NOISE / 3, update_ratio=_LARGE),
    "warm restarts": Trace.of(loss=1.5 * np.exp(-_STEPS / 90) + 0.2 * (_STEPS % 100 < 20), update_ratio=_LARGE),
    "a zigzag that falls": Trace.of(loss=np.exp(-_STEPS / 90) * (1 + 0.1 * (-1.0) ** _STEPS), update_ratio=_LARGE),
    "diverges, once and for all": Trace.of(loss=np.exp(_STEPS / 40), update_ratio=_LARGE),
}


@rule("O07", kind="symptom", needs=["loss", "update_ratio"], explains=["underfitting", "no-better-than-prior"])
def oscillating_loss(
    trace: Trace, *, climb: float = 1.0, swings: int = 3, large: float = 0.02, steps: int = 60
) -> Iterator[Finding]:
    """The loss falls and climbs back, again and again, by more than batches differ.

    Why it hurts
        What one step learns the next ones undo; the run ends at whatever point of the swing it stops.

    How it decides
        Of the three ways to swing one is seen. Slowly: the run is cut into 20 blocks, and climbs from one to the next
        count when they exceed four standard errors of the noise of single steps; at least `swings` of them, with falls
        in between, add up to `climb` times the first loss. From step to step: in the second half neighbours differ by
        half the first loss, a twentieth of the loss and five times what they did at the start, and the loss has not
        come down by half. In a zigzag: in the second half nine in ten steps turn back where the one before went (two in
        three would be noise), by 5 % of the loss, which has not come down by half. A hint only where the weight updates
        are small (the median parameter moves by less than `large` of itself per step): then the cause is not the step
        size. Nothing is said of networks that train in turns, as in a GAN. Needs `steps` steps. Among healthy runs
        measured here the climbs add up to 0.55 at most, even with their noise counted in.

    When it is wrong
        Cyclic data: one source or task after another.

    References
        J. Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", 2021.
    """
    loss = trace.taken("loss").finite()
    if len(loss) < steps:
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    if trace.takes_turns:
        raise CannotSay("another network trains in turns with this one, and such losses swing by nature")
    start = abs(loss.head(3).median()) or 1.0
    climbed, times = _climbs(loss)
    late = loss.tail(len(loss) // 2)
    scatter = late.noise()
    if times >= swings and climbed >= climb * start:
        said = f"The loss climbed back {times} times, by {climbed:.3g} in all, from a first loss of {start:.3g}."
    elif late.median() > start / 2 and scatter > max(start / 2, late.median() / 20, 5 * loss.head(10).noise()):
        said = f"The loss jumps by {scatter:.3g} from step to step, from a first loss of {start:.3g}."
    elif (size := _zigzag(late, start)) > 0:
        said = f"The loss goes up and down by {size:.3g} from step to step and stays near {loss.last:.3g}."
    else:
        return
    step = float(np.median([s.median() for _, s in trace.each("update_ratio") if len(s.finite())] or [np.nan]))
    yield Finding(
        said,
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.8,
        severity=Severity.INFO if step < large else Severity.WARNING,
        evidence={"climbed": climbed, "times": times, "update_ratio": step},
        fixes=(Remedy("set-learning-rate", {"factor": 0.1}), Remedy("anneal-rate")),
    )


def _climbs(loss: Series) -> tuple[float, int]:
    """How much the block means climbed in all, and how often after a fall; noise does not count."""
    blocks = loss.blocks(20)
    bound = 4 * loss.noise() * np.sqrt(2 * len(blocks) / len(loss))
    moves = np.diff(blocks)
    moves = moves[np.abs(moves) > bound]
    turns = (moves[1:] > 0) & (moves[:-1] < 0)
    return float(moves[moves > 0].sum()), int(turns.sum()) + int(len(moves) > 0 and moves[0] > 0)


def _zigzag(late: Series, start: float) -> float:
    """Median size of the steps up and down, where nearly all of them turn back; 0 where they do not."""
    moves = np.diff(late.values)
    size, level = float(np.median(np.abs(moves))), late.median()
    turning = float(np.mean(moves[1:] * moves[:-1] < 0))
    return size if turning > 0.9 and size > 0.05 * abs(level) and level > 0.5 * start else 0.0
