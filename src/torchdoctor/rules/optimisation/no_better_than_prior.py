"""A loss that is what guessing without looking would score."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.chance import MEAN, MEASURED, chance_levels
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_NOISE = np.random.default_rng(1).normal(0, 0.03, 300)
_TEN = {"loss_shapes": {"output": [32, 10], "target": [32]}}
FIRES = {
    "ten classes, guessed": Trace.of(_TEN, loss=math.log(10) + _NOISE),
    "starts far above and comes down to guessing": Trace.of(
        _TEN, loss=math.log(10) + 9 * np.exp(-np.arange(300) / 9) + _NOISE
    ),
    "the mean for every sample": Trace.of(loss=4 + _NOISE, target_mean=[1.0] * 9, target_std=[2.0] * 9),
    "worse than the measured prior": Trace.of(loss=9.0 + _NOISE, prior_loss=0.69),
}
QUIET = {
    "better": Trace.of(_TEN, loss=0.4 + 1.9 * np.exp(-np.arange(300) / 50) + _NOISE),
    "on its way through": Trace.of(_TEN, loss=np.linspace(4, 2.3, 300) + _NOISE),
    "a little better, and getting better still": Trace.of(loss=0.69 - np.arange(300) / 30_000, prior_loss=0.69),
    "another loss, of which nothing is known": Trace.of(_TEN, loss=14.0 + _NOISE),
}


@rule("O10", kind="symptom", needs=["loss"], explains=["underfitting"])
def no_better_than_prior(trace: Trace, *, margin: float = 0.02, steps: int = 60) -> Iterator[Finding]:
    """The loss ends where an answer that never looks at the inputs would put it.

    Why it hurts
        The network has learnt how often each answer occurs, and nothing else.

    How it decides
        Guessing scores `prior_loss` (measured through the user's own loss, where a check ran), or what the usual
        losses give: ln K for K classes, the variance of the targets, the entropy of a share of ones. The mean of the
        run's last quarter lies within `margin` of such a level, and the last three quarters do not fall by three
        standard errors. Above the level counts too where it was measured, or where the run began within a tenth of
        it, which shows that it is this loss's. `steps` steps at least. Of 2 %: batches differ by that much.

    When it is wrong
        Data from which nothing can be learnt; another loss that stands still at just this number; the long plateau
        that some networks leave later.

    References
        A. Karpathy, "A Recipe for Training Neural Networks", 2019: verify the loss at initialisation.
    """
    loss = trace.taken("loss").finite()
    levels = {what: level for what, level in chance_levels(trace).items() if level > 1e-6}
    if not levels:
        raise CannotSay("nothing is recorded that tells what guessing would score")
    if trace.takes_turns:
        raise CannotSay("another network trains in turns with this one, where guessing may be the balance")
    if len(loss) < steps:
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    end = float(loss.tail(len(loss) // 4).blocks(1)[0])
    first, second, error = loss.tail(3 * len(loss) // 4).halves()
    if first - second > 3 * error:
        return
    matches = {what: level for what, level in levels.items() if _at_or_above(what, level, end, loss, trace, margin)}
    if not matches:
        return
    what, level = next(iter(matches.items()))
    yield Finding(
        f"The loss ends at {end:.4g}, no better than {what} ({level:.4g}).",
        steps=(int(loss.tail(len(loss) // 4).steps[0]), int(loss.steps[-1])),
        confidence=0.9 if what == MEASURED else 0.75,
        evidence={"last_loss": end, "guessing": level},
    )


def _at_or_above(what: str, level: float, end: float, loss: Series, trace: Trace, margin: float) -> bool:
    if abs(end / level - 1) <= margin:
        return True
    plain = trace.facts.get("loss_from", "loss_fn") == "loss_fn"  # else there may be penalties in it
    known = what == MEASURED or (what != MEAN and abs(loss.head(3).median() / level - 1) < 0.1)
    return plain and known and end > level
