"""DeepDiagnosis: M. Wardat, B. D. Cruz, W. Le, H. Rajan, "DeepDiagnosis: Automatically Diagnosing Faults and
Recommending Actionable Fixes in Deep Learning Programs", ICSE 2022. Order and thresholds as in its public code.

The first symptom ends the run; a decision tree then names what to change: weights whose variance leaves [1e-5, 10],
inputs outside [-1, 1], a rate that moves weights by more than 0.1 or less than 1e-5 of their length, else a layer or
the loss. Left out to its favour: cross-entropy of linear outputs, which it always alarms on and which is right in
PyTorch. What stands for what: saturation is our share of outputs near the ends of their own range instead of inputs
beyond 5; means of outputs and gradients are those of sampled steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.rivals.deeplocalize import held, numerical
from benchmarks.rivals.seen import Seen

DEAD, SATURATED, VANISHING, BEYOND = 0.7, 0.5, 1e-7, 10.0
VARIANCE, RATIO, HELD_ACCURACY = (1e-5, 10.0), (1e-5, 0.1), 20

_OUTPUT = ("wrong-output-activation", "redundant-output-activation", "missing-output-activation", "wrong-loss")
MEANING = {
    "poor weight": ("symmetric-init", "badly-scaled-init"),
    "normalize the data": ("unscaled-inputs", "unscaled-targets"),
    "learning rate": ("high-learning-rate", "low-learning-rate", "negative-learning-rate"),
    "change the output activation": _OUTPUT,
    "change an activation or add a layer": ("saturating-activation", "missing-hidden-activation", "excessive-depth"),
    "change the optimizer": ("unsuitable-optimizer",),
    "change the loss or an activation": (*_OUTPUT, "unstable-loss", "saturating-activation"),
}


def verdicts(seen: Seen) -> Iterator[str]:
    """At most one action, for the first symptom."""
    if _out_of_range(seen):
        yield "change the output activation"
    elif symptom := _symptom(seen):
        yield _action(seen, symptom)


def _symptom(seen: Seen) -> str:
    """What to change where no other cause is seen; "" for no symptom."""
    if any(numerical(means) for means in seen.layers("activation_mean")):
        return "change an activation or add a layer"
    if any(share[-1] >= DEAD for share in seen.layers("zero_share", "ReLU")):
        return "change an activation or add a layer"
    if any((share > SATURATED).any() for share in seen.layers("saturated_share", "Sigmoid", "Tanh")):
        return "change an activation or add a layer"
    if not np.isfinite(seen.loss).all() or held(seen.train_loss) or _stuck(seen):
        return "change the optimizer"
    if any(numerical(norms) for norms in seen.weight_gradients()):
        return "change the loss or an activation"
    if any((size < VANISHING).any() for size in seen.gradient_sizes()):
        return "change an activation or add a layer"
    return ""


def _action(seen: Seen, otherwise: str) -> str:
    if any((v[-1] < VARIANCE[0]) or (v[-1] > VARIANCE[1]) for v in seen.weight_variances()):
        return "poor weight"
    if seen.largest_input() > 1:
        return "normalize the data"
    moved = [ratio[-1] for ratio in seen.layers("update_ratio")]
    if any(not RATIO[0] <= ratio <= RATIO[1] for ratio in moved):
        return "learning rate"
    return otherwise


def _out_of_range(seen: Seen) -> bool:
    """Targets that the last activation cannot reach, or outputs at the start ten times as wide as the targets."""
    low, high = seen.probed.value("reachable_min"), seen.probed.value("reachable_max")
    if low is None or high is None or seen.probed.facts.get("targets", {}).get("kind") == "classes":
        return False
    mean, absmax = seen.probed.value("target_mean"), seen.probed.value("target_absmax")
    width, spread = seen.probed.value("output_std"), seen.probed.value("target_std")
    beyond = absmax is not None and absmax > max(abs(low), abs(high))
    below = mean is not None and not low <= mean <= high
    wide = width is not None and spread is not None and 0 < BEYOND * spread < width
    return beyond or below or wide


def _stuck(seen: Seen) -> bool:
    accuracy = seen.accuracy
    return bool(len(accuracy) and accuracy[-1] == 0) or (len(accuracy) >= HELD_ACCURACY and len(set(accuracy)) == 1)
