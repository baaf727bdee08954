"""AUTOTRAINER: X. Zhang, J. Zhai, S. Ma, C. Shen, "AUTOTRAINER: An Automatic DNN Training Problem Detection and Repair
System", ICSE 2021. Thresholds are the defaults of its public code: beta_1 1e-3, beta_2 1e-4, beta_3 70, gamma 0.7,
zeta 0.03, eta 0.2, delta 0.01, Theta 0.7; it looks from three tenths of the epochs on.

What stands for what: gradients are those of sampled steps, not of one fixed batch after each epoch; the share of zeros
among gradients is the share of units that are dead over a window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.rivals.seen import Floats, Seen

VANISHING, FIRST, EXPLODING, DYING = 1e-3, 1e-4, 70.0, 0.7
WAVE, WAVES, GAIN, ENOUGH = 0.03, 0.2, 0.01, 0.7
HUGE, START = 1e5, 0.3

_SCALE = ("badly-scaled-init", "missing-normalization", "unscaled-inputs", "high-learning-rate")
MEANING = {
    "explode": (*_SCALE, "unscaled-targets", "unstable-loss", "summed-loss", "non-finite-inputs"),
    "vanish": ("saturating-activation", "excessive-depth", "symmetric-init", *_SCALE),
    "relu": _SCALE,
    "unstable": ("high-learning-rate", "unsuitable-optimizer", "small-batch"),
    "not_converge": ("low-learning-rate", "unsuitable-optimizer", "badly-scaled-init", "too-few-epochs"),
}


def verdicts(seen: Seen) -> Iterator[str]:
    """At most two: it stops at the first epoch with an issue."""
    if seen.not_finite() or bool((seen.val_loss[-1:] >= HUGE).any()):
        yield "explode"
    if not len(seen.accuracy):
        return
    late = slice(int(START * len(seen.accuracy)), None)
    slow = _gain(seen.accuracy) < GAIN and _gain(seen.val_accuracy) < GAIN
    if max(seen.accuracy) < ENOUGH or max(seen.val_accuracy, default=0.0) < ENOUGH or slow:
        yield from _gradients(seen, late, slow)
    elif _oscillates(seen.accuracy):
        yield "unstable"


def _gradients(seen: Seen, late: slice, slow: bool) -> Iterator[str]:
    norms = seen.weight_gradients()
    first, last = (norms[0][late], norms[-1][late]) if norms else (np.ones(1), np.ones(1))
    count = min(len(first), len(last))
    ratio = first[:count] / np.where(last[:count] > 0, last[:count], np.inf)
    dead = [share[-1] for share in seen.layers("dead_share")]
    if dead and max(dead) >= DYING:
        yield "relu"
    elif (ratio > EXPLODING).any():
        yield "explode"
    elif ((ratio < VANISHING) & (first[:count] < FIRST)).any():
        yield "vanish"
    elif slow:
        yield "not_converge"


def _gain(accuracy: Floats) -> float:
    """The largest rise from one epoch to the next."""
    return float(max(np.diff(accuracy), default=0.0))


def _oscillates(accuracy: Floats) -> bool:
    """Peaks lie WAVE or more above the valleys of the same number, in WAVES of the epochs."""
    before, here, after = accuracy[:-2], accuracy[1:-1], accuracy[2:]
    peaks = here[(here >= before) & (here >= after)]
    valleys = here[(here <= before) & (here <= after)]
    pairs = min(len(peaks), len(valleys))
    return bool((peaks[:pairs] - valleys[:pairs] >= WAVE).sum() >= WAVES * len(accuracy))
