"""SageMaker Debugger's built-in rules for deep learning, with the default parameters of its developer guide
(awsdocs/amazon-sagemaker-developer-guide, debugger-built-in-rules.md): VanishingGradient mean |g| < 1e-7,
WeightUpdateRatio outside [1e-8, 10], DeadRelu more than 50 % of a layer, SaturatedActivation more than 50 % of a layer,
Overfit (validation - training) / training loss > 0.1, Overtraining 10 epochs without 0.1, ClassImbalance 10 to 1,
CheckInputImages |mean| > 0.2, AllZero, ExplodingTensor not finite, LossNotDecreasing over 10 steps.

In its favour: LossNotDecreasing compares means of the first and last tenth of the run instead of single steps 10 apart,
with which it would alarm on every run; TensorVariance has no defaults and is left out. What stands for what: as in
deepdiagnosis.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.rivals.seen import Seen

VANISHING, UPDATES, LAYER, GAP, PATIENCE, GAIN = 1e-7, (1e-8, 10.0), 0.5, 0.1, 10, 0.1
IMBALANCE, SHIFT = 10.0, 0.2

_RATE = ("low-learning-rate", "high-learning-rate", "negative-learning-rate")
_STEP = ("frozen-parameters", "detached-graph", "missing-parameters", "misplaced-zero-grad", "stale-optimizer")
MEANING = {
    "ExplodingTensor": (
        "high-learning-rate",
        "unstable-loss",
        "unscaled-inputs",
        "non-finite-inputs",
        "unscaled-targets",
    ),
    "VanishingGradient": ("saturating-activation", "excessive-depth", "badly-scaled-init", "symmetric-init", *_STEP),
    "LossNotDecreasing": (*_RATE, *_STEP, "wrong-loss", "wrong-output-activation"),
    "DeadRelu": ("high-learning-rate", "badly-scaled-init", "unscaled-inputs", "wrong-output-activation"),
    "SaturatedActivation": ("saturating-activation", "unscaled-inputs", "badly-scaled-init"),
    "WeightUpdateRatio": (*_RATE, *_STEP, "misused-scheduler"),
    "AllZero": ("symmetric-init", *_STEP),
    "Overfit": ("weak-regularization", "too-many-epochs", "too-few-samples", "unshuffled-split", "mismatched-splits"),
    "Overtraining": ("too-many-epochs", "weak-regularization"),
    "ClassImbalance": ("imbalanced-classes", "unshuffled-split"),
    "CheckInputImages": ("unscaled-inputs",),
}


def verdicts(seen: Seen) -> Iterator[str]:
    """All rules that fire."""
    if seen.not_finite():
        yield "ExplodingTensor"
    if any((size < VANISHING).any() for size in seen.gradient_sizes()):
        yield "VanishingGradient"
    if not _falls(seen):
        yield "LossNotDecreasing"
    if any((share > LAYER).any() for share in seen.layers("dead_share", "ReLU")):
        yield "DeadRelu"
    if any((share > LAYER).any() for share in seen.layers("saturated_share", "Sigmoid", "Tanh")):
        yield "SaturatedActivation"
    if any(((ratio > UPDATES[1]) | (ratio < UPDATES[0])).any() for ratio in seen.layers("update_ratio")):
        yield "WeightUpdateRatio"
    if any((norms == 0).any() for norms in seen.weight_gradients()):
        yield "AllZero"
    yield from _splits(seen)
    yield from _data(seen)


def _falls(seen: Seen) -> bool:
    tenth = max(1, len(seen.loss) // 10)
    return len(seen.loss) < 2 or bool(np.mean(seen.loss[-tenth:]) < np.mean(seen.loss[:tenth]))


def _splits(seen: Seen) -> Iterator[str]:
    epochs = min(len(seen.train_loss), len(seen.val_loss))
    train, val = seen.train_loss[:epochs], seen.val_loss[:epochs]
    if ((val - train) > GAP * np.abs(train)).any():
        yield "Overfit"
    best = np.minimum.accumulate(val)
    if len(val) > PATIENCE and (best[:-PATIENCE] - best[PATIENCE:] < GAIN).any():
        yield "Overtraining"


def _data(seen: Seen) -> Iterator[str]:
    counts = seen.probed["label_counts"].values[-1:]  # a vector, one number a class
    if counts.size and counts.max() > IMBALANCE * max(1.0, counts.min()):
        yield "ClassImbalance"
    images = len(seen.probed.facts.get("inputs", {}).get("shape", [])) == 4
    if images and abs(seen.probed["input_mean"].median()) > SHIFT:
        yield "CheckInputImages"
