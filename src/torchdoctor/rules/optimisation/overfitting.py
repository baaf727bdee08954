"""A validation loss that rises while the training loss falls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.overfit import climb
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
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
    found = climb(trace, rise, stretch, epochs)
    if found is None:
        return
    yield Finding(
        f"Since step {found.since} the validation loss rose from {found.low:.3g} to {found.last:.3g}, while the "
        f"training loss went from {found.then:.3g} to {found.now:.3g}.",
        steps=(found.since, found.until),
        confidence=0.85,
        severity=Severity.INFO if found.score_holds else Severity.WARNING,
        evidence={"lowest_val_loss": found.low, "last_val_loss": found.last, "train_loss_then": found.then,
                  "train_loss_now": found.now},
        fixes=(Remedy("stop-early"), Remedy("add-weight-decay"), Remedy("add-dropout")),
    )  # fmt: skip
