"""What guessing without looking at the inputs would score, as far as a trace can tell.

May not: import torch, know the name of a loss (what a loss function is called says little about what it computes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from torchdoctor.judge.trace import Trace

MEASURED = "the best constant answer"  # the level that a probe measured through the user's own loss
MEAN = "always answering the mean"  # the one level that is estimated, from the targets of the sampled steps


def chance_levels(trace: Trace) -> dict[str, float]:
    """{what guessing it is: its loss}, empty when the trace holds nothing to tell by.

    The probe's `prior_loss` is exact. The others are what the usual losses give for shapes and targets like these; a
    run whose loss sits on one of them is guessing, or has another loss and met the number by chance.
    """
    levels: dict[str, float] = {}
    if (prior := trace.value("prior_loss")) is not None and math.isfinite(prior):
        levels[MEASURED] = prior
    shapes = trace.facts.get("loss_shapes", {})
    output, target = shapes.get("output") or [], shapes.get("target") or []
    if (classes := _classes(output, target)) > 1:
        levels[f"guessing one of {classes} classes"] = math.log(classes)
    elif (variance := _variance(trace)) > 0:
        levels[MEAN] = variance
        mean, std = trace["target_mean"].median(), trace["target_std"].median()
        if _zeros_and_ones(trace, mean, std):
            levels["guessing by the share of ones"] = -mean * math.log(mean) - (1 - mean) * math.log(1 - mean)
            levels["guessing yes or no"] = math.log(2)
    return levels


def _variance(trace: Trace) -> float:
    """Of the targets over the last three quarters of the run, as the loss of these steps would have it; 0 if unknown.

    Few steps record targets, and their batches may be easy or hard ones by chance. The loss of the same batches is
    known, so the variance is corrected by how that compares with the loss of all: for one constant answer exactly.
    """
    std, loss = trace["target_std"].finite(), trace.taken("loss").finite()
    if not len(std) or not len(loss):
        return float(np.mean(std.values**2)) if len(std) else 0.0
    late = std.between(int(loss.steps[-1] - 0.75 * (loss.steps[-1] - loss.steps[0])), trace.last_step)
    late = late if len(late) else std.tail(1)
    same = float(np.mean(loss.at(late.steps)))
    every = float(np.mean(loss.tail(max(1, 3 * len(loss) // 4)).values))
    ratio = every / same if same > 0 and every > 0 else 1.0
    return float(np.mean(late.values**2)) * ratio


def _classes(output: Sequence[int], target: Sequence[int]) -> int:
    """K when outputs (N, K, ...) meet class indices (N, ...); 0 for anything else."""
    indices = len(output) == len(target) + 1 >= 2 and [output[0], *output[2:]] == list(target)
    return int(output[1]) if indices else 0


def _zeros_and_ones(trace: Trace, mean: float, std: float) -> bool:
    """Only values of 0 and 1 have this variance (a probability's p (1 - p)) and no larger size than 1."""
    variance = mean * (1 - mean)
    return 0 < mean < 1 and trace["target_absmax"].median() == 1.0 and abs(std**2 - variance) < 0.05 * variance
