"""Overfitting, and nothing against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.overfit import climb
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_EPOCHS = np.arange(30)


def _overfits(decay: float, layers: list[str], **more: Any) -> Trace:
    signals: dict[str, Any] = {
        "loss": Series.of(2.3 * np.exp(-np.arange(300) / 60)),
        "val_loss": Series.of(0.6 + np.abs(_EPOCHS - 5) / 20, every=10),
        "val_score": Series.of(0.9 - np.abs(_EPOCHS - 5) / 100, every=10),
    }
    groups = [{"lr": 0.01, "weight_decay": decay}]
    return Trace.of({"optimizer": {"type": "SGD", "groups": groups}, "mode_layers": layers}, **{**signals, **more})


FIRES = {
    "neither decay nor dropout": _overfits(0.0, []),
    "a decay too small to count": _overfits(1e-8, []),
}
QUIET = {
    "decay was tried": _overfits(5e-4, []),
    "layers that drop or normalise": _overfits(0.0, ["drop"]),
    "the loss has a penalty of its own": _overfits(0.0, [], penalty_gradient=0.1),
    "both fall": _overfits(0.0, [], val_loss=Series.of(0.4 + np.exp(-_EPOCHS / 6), every=10)),
    "the score holds": _overfits(0.0, [], val_score=Series.of(0.9 - np.exp(-_EPOCHS / 3), every=10)),
}


@rule("H08", kind="cause", needs=["loss", "val_loss"], explains=["overfitting", "too-many-epochs"])
def weak_regularization(
    trace: Trace, *, rise: float = 0.2, stretch: float = 0.25, epochs: int = 6, decay: float = 1e-6
) -> Iterator[Finding]:
    """The network learns its training samples by heart, and nothing holds it back.

    Why it hurts
        Without decay, dropout, noise or an early end the surest way to a lower training loss is to remember.

    How it decides
        The validation loss climbs while the training loss falls, as the rule on overfitting has it (`rise`, `stretch`,
        `epochs`), and the validation score suffers or is not known; the optimizer decays weights by less than `decay`,
        no layer acts differently in training (dropout and normalisation both make noise), and no penalty on the weights
        was measured in the loss.

    When it is wrong
        Augmentation and noise that the data bring along are not seen; validation data of another kind.

    References
        I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", 2016, chapter 7.
    """
    found = climb(trace, rise, stretch, epochs)
    groups: Any = trace.facts.get("optimizer", {}).get("groups", [])
    decays = [g.get("weight_decay") or 0.0 for g in groups]
    if found is None or found.score_holds or not decays or trace.facts.get("mode_layers"):
        return
    if max(decays) > decay or (trace.value("penalty_gradient") or 0.0) > 0:
        return
    yield Finding(
        f"The validation loss rose from {found.low:.3g} to {found.last:.3g} since step {found.since}, with a weight "
        f"decay of {max(decays):g} and no layer that acts differently in training.",
        steps=(found.since, found.until),
        confidence=0.65,
        evidence={"lowest_val_loss": found.low, "last_val_loss": found.last, "weight_decay": max(decays)},
        fixes=(Remedy("add-weight-decay"), Remedy("add-dropout"), Remedy("stop-early")),
    )
