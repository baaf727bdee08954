"""A loss that never falls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.chance import chance_levels
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Floats, Series, trend
from torchdoctor.judge.trace import Trace

_NOISE = np.random.default_rng(0).normal(0, 0.02, 400)
_WANDER = np.sin(np.arange(400) / 25)
FIRES = {
    "flat at chance": Trace.of(loss=2.303 + _NOISE),
    "exactly constant": Trace.of(loss=[7.67] * 100),
    "rises all the time": Trace.of(loss=0.7 + np.arange(400) / 100 + _NOISE),
    "a small drop at the start and then nothing": Trace.of(loss=np.where(np.arange(400) < 9, 2.35, 2.303) + _NOISE),
}
QUIET = {
    "falls": Trace.of(loss=2.3 - np.arange(400) / 400 + _NOISE),
    "falls slowly, but surely": Trace.of(loss=2.3 - np.arange(400) / 4000 + _NOISE),
    "fell and is done": Trace.of(loss=2.3 * np.exp(-np.arange(400) / 20) + 0.1 + _NOISE),
    "a trained network, trained on": Trace.of(
        {"loss_shapes": {"output": [32, 10], "target": [32]}}, loss=0.08 + _NOISE / 4
    ),
    "mixed samples, whose loss has a high floor, and a score that rises": Trace.of(
        loss=2.2 + 8 * _NOISE, val_score=0.96 - 0.3 * np.exp(-np.arange(20) / 4)
    ),
    "adversarial: up and down": Trace.of(loss=1.2 + 0.5 * _WANDER + _NOISE),
}


@rule("O09", kind="symptom", needs=["loss"], explains=["underfitting", "no-better-than-prior"])
def stalled_loss(trace: Trace, *, share: float = 0.05, slow: float = 0.01, steps: int = 60) -> Iterator[Finding]:
    """The loss is where it was at the start, or higher, and does not fall.

    Why it hurts
        Nothing is learnt; every further step is wasted.

    How it decides
        The loss fell when any fifth of the run lies `share` of the first loss below it, when the first quarter lies
        above the last, or when, over the last three quarters, the second half lies `slow` of the first loss below the
        first half; each by three standard errors at least, so that noise of small batches neither hides a stall nor
        makes one. Needs `steps` steps, and the learning rate's warm-up to be over. Quiet for a loss that wanders up
        and down, for one far below what guessing scores (a trained network that is trained on), where networks train
        in turns, as in a GAN, and where val_score rises by a fifth. The numbers are first guesses.

    When it is wrong
        Networks that sit on a plateau first and learn later; fine-tuning that has nothing left to gain.

    References
        A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
        neural networks", 2014, for plateaus that end.
    """
    loss = trace.taken("loss").finite()
    if len(loss) < steps:
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    if _warming_up(trace):
        raise CannotSay("the learning rate is still being warmed up")
    if trace.takes_turns:
        raise CannotSay("another network trains in turns with this one, so that a level loss may be a balance")
    start, blocks = _start(loss), loss.blocks(20)
    if _fell(loss, start, share, slow) or _wanders(loss, blocks[1:]):
        return
    end = float(blocks[-4:].mean())
    if any(end < 0.5 * level for level in chance_levels(trace).values()) or _scores_rise(trace["val_score"].finite()):
        return
    verb = "rose" if end > start + share * abs(start) else "went"
    yield Finding(
        f"The loss {verb} from {start:.4g} to {end:.4g} over {len(loss)} steps.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.9 if len(loss) >= 3 * steps else 0.75,
        evidence={"first": start, "last": end, "noise": loss.noise()},
    )


def _start(loss: Series) -> float:
    """Mean of the first twentieth; the very first value where the first updates threw the loss far above it."""
    level = float(loss.head(max(5, len(loss) // 20)).blocks(1)[0])
    return loss.first if level > loss.first + 3 * loss.noise() else level


def _fell(loss: Series, start: float, share: float, slow: float) -> bool:
    """By one of the page's three comparisons; each level's error follows from the noise and its number of steps."""
    blocks, size, n = loss.blocks(20), abs(start), len(loss)
    noise, early = loss.noise(), max(5, n // 20)
    lowest = np.convolve(blocks, np.full(4, 0.25), "valid").min()
    if start - lowest > max(share * size, 3 * noise * np.sqrt(1 / early + 5 / n)):
        return True
    quarter = n // 4
    first, last = float(np.mean(loss.head(quarter).values)), float(np.mean(loss.tail(quarter).values))
    if first - last > max(slow * size, 3 * noise * np.sqrt(2 / quarter)) and last < start:
        return True
    before, after, error = loss.tail(3 * n // 4).halves()
    return before - after > max(3 * error, slow * size)


def _wanders(loss: Series, blocks: Floats) -> bool:
    """The blocks scatter far more than the noise of single steps explains, and in no direction."""
    by_noise = loss.noise() / np.sqrt(len(loss) / (len(blocks) + 1))
    far = np.std(blocks) > 5 * by_noise and np.ptp(blocks) > 0.1 * abs(float(blocks.mean()))
    return bool(far and abs(trend(blocks)) < 0.8)


def _scores_rise(scores: Series) -> bool:
    """By a fifth of what they end at, and far above their noise: what is learnt, the loss does not show."""
    end = scores.tail(max(1, len(scores) // 4)).median()
    return len(scores) >= 4 and end > 0 and end - scores.first > max(0.2 * abs(end), 5 * scores.noise())


def _warming_up(trace: Trace) -> bool:
    """The learning rate, recorded when it changes, has only risen, and until lately."""
    rates = [s for _, s in trace.each("lr") if len(s) > 2]
    return any((np.diff(s.values) > 0).all() and s.steps[-1] > 0.8 * trace.last_step for s in rates)
