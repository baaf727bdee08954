"""A best epoch that lies far behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_EPOCHS = np.arange(60)
_NOISE = np.random.default_rng(0).normal(0, 0.003, 60)
FIRES = {
    "best after five of sixty, much worse at the end": Trace.of(
        val_score=np.minimum(0.5 + 0.08 * _EPOCHS, 0.92 - 0.002 * _EPOCHS) + _NOISE
    ),
    "the validation loss doubles": Trace.of(val_loss=0.5 + np.abs(_EPOCHS - 4) / 90 + _NOISE),
    "only a hint: nothing came after, nothing was lost": Trace.of(
        val_score=np.minimum(0.5 + 0.08 * _EPOCHS, 0.9) + _NOISE
    ),
}
QUIET = {
    "best at the end": Trace.of(val_score=0.5 + _EPOCHS / 150 + _NOISE),
    "best in the middle, slowly worse": Trace.of(val_score=0.9 - np.abs(_EPOCHS - 30) / 900 + _NOISE),
    "stopped soon after the best": Trace.of(val_score=(np.minimum(0.5 + 0.08 * _EPOCHS, 0.9) + _NOISE)[:12]),
    "never learnt anything": Trace.of(val_score=0.5 + _NOISE),
}


@rule("B02", kind="cause", needs=["val_score|val_loss"], explains=["overfitting"])
def too_many_epochs(trace: Trace, *, early: float = 0.2, worse: float = 0.03, epochs: int = 15) -> Iterator[Finding]:
    """The best epoch lies far behind, and training went on.

    Why it hurts
        The later epochs cost time, and where the score fell the kept weights are worse than those that were there.

    How it decides
        Of val_score (else val_loss) a running median of three reached its best in the first `early` of the run. Where
        the end is worse by `worse` of the best's size and three times the noise, that is a warning; where it is not, a
        hint if the best came in the first half of that. A score that never rose says nothing here. `epochs`
        validations at least. A best in the first tenth is the customary sign of too many steps; 0.2 allows for its
        scatter.

    When it is wrong
        Networks that get better a second time, long after (grokking).

    References
        P. Nakkiran et al., "Deep Double Descent", 2019, for the second time.
    """
    name = "val_score" if trace.has("val_score") else "val_loss"
    recorded = trace[name].finite()
    if len(recorded) < epochs:
        raise CannotSay(f"needs {epochs} values of {name}, got {len(recorded)}")
    sign = 1 if name == "val_score" else -1
    smooth = Series(recorded.steps, sign * recorded.values).smooth(3)
    noise = recorded.noise(robust=False)
    top, size = float(smooth.values.max()), max(abs(float(smooth.values.max())), 1e-12)
    # The first value as good as the best: of a level stretch the best one is anywhere by chance.
    best = int(np.argmax(smooth.values >= top - 2 * noise))
    lost = top - smooth.tail(max(1, len(smooth) // 10)).median()
    if best > early * len(smooth) or top - smooth.first < 3 * noise:
        return
    harmful = lost > max(worse * size, 3 * noise)
    if not harmful and best > early / 2 * len(smooth):
        return
    yield Finding(
        f"{name} was at {sign * top:.3g} by step {smooth.steps[best]} of {smooth.steps[-1]} and ended at "
        f"{sign * (top - lost):.3g}.",
        steps=(int(smooth.steps[best]), int(smooth.steps[-1])),
        confidence=0.8 if harmful else 0.5,
        severity=Severity.WARNING if harmful else Severity.INFO,
        evidence={"best": sign * top, "last": sign * (top - lost), "noise": noise},
        fixes=(Remedy("stop-early"),),
    )
