"""DeepLocalize: M. Wardat, W. Le, H. Rajan, "DeepLocalize: Fault Localization for Deep Neural Networks", ICSE 2021.

After each epoch, layer by layer: outputs, loss, accuracy, weights and gradients that are not finite or exactly zero,
and means that did not change at all over some epochs (5, as in the code of its successor). The first hit ends the run.
What stands for what: means of outputs are those of sampled steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.rivals.seen import Floats, Seen

HELD = 5

_LAYER = (
    "saturating-activation",
    "wrong-output-activation",
    "missing-hidden-activation",
    "redundant-output-activation",
    "unscaled-inputs",
    "badly-scaled-init",
    "symmetric-init",
)
_OUTPUT = ("wrong-loss", "unstable-loss", "wrong-output-activation", "missing-output-activation", "invalid-labels")
_STEP = ("frozen-parameters", "detached-graph", "missing-parameters", "misplaced-zero-grad")
MEANING = {
    "error in a layer": (*_LAYER, "high-learning-rate", "non-finite-inputs"),
    "error in the loss function": (*_OUTPUT, "high-learning-rate", "unscaled-inputs", "unscaled-targets"),
    "error in backward": (*_LAYER, *_STEP, "high-learning-rate"),
    "model does not learn": (*_LAYER, "high-learning-rate", "low-learning-rate", "wrong-loss"),
}


def verdicts(seen: Seen) -> Iterator[str]:
    """The first that holds, in the order of its paper."""
    if any(numerical(means) for means in seen.layers("activation_mean")):
        yield "error in a layer"
    elif not np.isfinite(seen.loss).all():
        yield "error in the loss function"
    elif held(seen.train_loss) or held(seen.accuracy) or (len(seen.accuracy) and seen.accuracy[-1] == 0):
        yield "model does not learn"
    elif any(numerical(norms) for norms in seen.weight_gradients()):
        yield "error in backward"


def numerical(values: Floats) -> bool:
    """Not finite, or exactly zero, at some step."""
    return bool((~np.isfinite(values) | (values == 0)).any())


def held(values: Floats) -> bool:
    """HELD numbers in a row that are exactly the same."""
    return any(len(set(values[i : i + HELD])) == 1 for i in range(0, len(values) - HELD + 1, HELD))
