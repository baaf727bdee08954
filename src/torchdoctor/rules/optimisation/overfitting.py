"""A validation loss that rises while the training loss falls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series, trend
from torchdoctor.judge.trace import Trace

_EPOCHS = np.arange(30)
_FALLING = Series.of(2.3 * np.exp(-np.arange(300) / 60))
_WOBBLE = np.random.default_rng(0).normal(0, 0.02, 30)


def _every_ten(values: object) -> Series:
    return Series.of(values, every=10)  # type: ignore[arg-type]


FIRES = {
    "a bowl": Trace.of(loss=_FALLING, val_loss=_every_ten(0.6 + (_EPOCHS - 6) ** 2 / 300 + _WOBBLE)),
    "the score suffers too": Trace.of(
        loss=_FALLING,
        val_loss=_every_ten(0.6 + np.abs(_EPOCHS - 5) / 20),
        val_score=_every_ten(0.9 - np.abs(_EPOCHS - 5) / 100),
    ),
    "only a hint while the score still rises": Trace.of(
        loss=_FALLING,
        val_loss=_every_ten(0.6 + np.abs(_EPOCHS - 5) / 20),
        val_score=_every_ten(0.8 + _EPOCHS / 300),
    ),
}
QUIET = {
    "both fall": Trace.of(loss=_FALLING, val_loss=_every_ten(0.4 + np.exp(-_EPOCHS / 6))),
    "up once": Trace.of(loss=_FALLING, val_loss=_every_ten(np.where(_EPOCHS == 29, 0.8, 0.4))),
    "dropout: training above validation": Trace.of(
        loss=_every_ten(0.9 + np.exp(-_EPOCHS / 6)), val_loss=_every_ten(0.5 + np.exp(-_EPOCHS / 6))
    ),
    "both rise: that is divergence": Trace.of(loss=np.arange(300) / 50, val_loss=_every_ten(_EPOCHS / 5)),
    "noisy and level": Trace.of(loss=_FALLING, val_loss=_every_ten(0.5 + 3 * _WOBBLE)),
}


@rule("O12", kind="symptom", needs=["loss", "val_loss"])
def overfitting(trace: Trace, *, rise: float = 0.2, stretch: float = 0.25, epochs: int = 6) -> Iterator[Finding]:
    """From some epoch on the validation loss rises while the training loss keeps falling.

    Why it hurts
        The network learns its training samples by heart; what it says about new ones gets worse or too sure of itself.

    How it decides
        Of the validation loss a running median of three: its last value lies more than `rise` above the lowest, and by
        three times its noise; the lowest lies at least `stretch` of the run (three values at least) back, and from
        there it climbs on the whole (Kendall's tau 0.5); over that stretch the training loss fell, or stayed, and it
        ends below the validation loss. Where a validation score is recorded and ends within 2 % of its best, it is a
        hint: the answers stay right and only get too sure. A single worse epoch is nothing, nor is a gap alone.
        0.2, 0.25 and `epochs` validations at least are first guesses.

    When it is wrong
        Validation data of another kind than the training data.

    References
        L. Prechelt, "Early Stopping - But When?", 1998.
    """
    val, loss = trace["val_loss"].finite(), trace["loss"].finite()
    if len(val) < epochs:
        raise CannotSay(f"needs {epochs} validation losses, got {len(val)}")
    if not len(loss):
        raise CannotSay("no finite training loss is recorded")
    smooth = val.smooth(3)
    best = int(np.argmin(smooth.values))
    low, last, since = float(smooth.values[best]), smooth.last, int(smooth.steps[best])
    if len(smooth) - 1 - best < max(3, stretch * len(val)) or last - low < max(rise * abs(low), 3 * val.noise()):
        return
    if trend(smooth.values[best:]) < 0.5:
        return
    then, now = _training_loss(loss, since), _training_loss(loss, int(val.steps[-1]))
    if not now <= then or not now < last:
        return
    yield Finding(
        f"Since step {since} the validation loss rose from {low:.3g} to {last:.3g}, while the training loss went from "
        f"{then:.3g} to {now:.3g}.",
        steps=(since, int(val.steps[-1])),
        confidence=0.85,
        severity=Severity.INFO if _score_holds(trace["val_score"]) else Severity.WARNING,
        evidence={"lowest_val_loss": low, "last_val_loss": last, "train_loss_then": then, "train_loss_now": now},
        fixes=(Remedy("stop-early"), Remedy("add-weight-decay"), Remedy("add-dropout")),
    )


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
