"""UMLAUT: E. Schoop, F. Huang, B. Hartmann, "UMLAUT: Debugging Deep Learning Programs using Program Structure and Model
Behavior", CHI 2021. Bounds as in its public code: inputs in [-1, 1], rates in [1e-7, 0.01], validation accuracy up to
0.95 and not above that of training from the third epoch on, validation loss that rises while training loss does not
from one epoch to the next. Its warning of dropout above 0.5 is left out: the recordings do not hold the rates.

What stands for what: layers are told by the classes of the modules, as it tells them by Keras' names.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from benchmarks.rivals.seen import Seen

RATES, CERTAIN, FROM = (1e-7, 0.01), 0.95, 3

MEANING = {
    "inputs not normalized": ("unscaled-inputs",),
    "NaN in the loss": ("unstable-loss", "high-learning-rate", "non-finite-inputs", "unscaled-inputs"),
    "NaN in the inputs": ("non-finite-inputs",),
    "learning rate high": ("high-learning-rate",),
    "learning rate low": ("low-learning-rate", "negative-learning-rate"),
    "no softmax": ("missing-output-activation",),
    "final layer has an activation": ("redundant-output-activation", "wrong-output-activation"),
    "missing activations": ("missing-hidden-activation",),
    "overfitting": ("weak-regularization", "too-many-epochs", "too-few-samples"),
    "high validation accuracy": ("leaked-validation", "strong-dropout", "mismatched-splits"),
}
_SQUASHING = ("Softmax", "Sigmoid", "LogSoftmax", "ReLU", "Tanh")
_LINEAR = ("Linear", "Conv2d", "Conv1d")


def verdicts(seen: Seen) -> Iterator[str]:
    """All that hold, the critical ones first."""
    if (seen.probed.value("input_nonfinite_share") or 0.0) > 0:
        yield "NaN in the inputs"
    if np.isnan(seen.loss).any():
        yield "NaN in the loss"
    yield from _structure(seen)
    if seen.largest_input() > 1:
        yield "inputs not normalized"
    rates = seen.learning_rates()
    if any(rate > RATES[1] for rate in rates):
        yield "learning rate high"
    if any(rate < RATES[0] for rate in rates):
        yield "learning rate low"
    yield from _curves(seen)


def _structure(seen: Seen) -> Iterator[str]:
    order = [seen.module(name) for name, _ in seen.watched.each("activation_mean")]
    order = [kind for kind in order if kind in _SQUASHING + _LINEAR]
    loss = str(seen.watched.facts.get("loss_fn", ""))
    last = order[-1] if order else ""
    if (loss == "NLLLoss" and last != "LogSoftmax") or (loss == "BCELoss" and last != "Sigmoid"):
        yield "no softmax"
    if loss in ("CrossEntropyLoss", "BCEWithLogitsLoss", "cross_entropy") and last in _SQUASHING:
        yield "final layer has an activation"
    if any(a in _LINEAR and b in _LINEAR for a, b in pairwise(order)):
        yield "missing activations"


def _curves(seen: Seen) -> Iterator[str]:
    epochs = min(len(seen.train_loss), len(seen.val_loss))
    train, val = np.diff(seen.train_loss[:epochs]), np.diff(seen.val_loss[:epochs])
    if ((val > 0) & (train <= 0)).any():
        yield "overfitting"
    scores = min(len(seen.accuracy), len(seen.val_accuracy))
    accuracy, val_accuracy = seen.accuracy[FROM:scores], seen.val_accuracy[FROM:scores]
    if ((val_accuracy > CERTAIN) | (val_accuracy > accuracy)).any():
        yield "high validation accuracy"
