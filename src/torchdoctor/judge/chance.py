"""What guessing without looking at the inputs would score, as far as a trace can tell.

May not: import torch, know the name of a loss (what a loss function is called says little about what it computes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torchdoctor.judge.trace import Trace

MEASURED = "the best constant answer"  # the level that a probe measured through the user's own loss


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
    mean, std = trace["target_mean"].median(), trace["target_std"].median()
    if (classes := _classes(output, target)) > 1:
        levels[f"guessing one of {classes} classes"] = math.log(classes)
    elif math.isfinite(mean) and math.isfinite(std) and std > 0:
        levels["always answering the mean"] = std**2
        if _zeros_and_ones(trace, mean, std):
            levels["guessing by the share of ones"] = -mean * math.log(mean) - (1 - mean) * math.log(1 - mean)
            levels["guessing yes or no"] = math.log(2)
    return levels


def _classes(output: Sequence[int], target: Sequence[int]) -> int:
    """K when outputs (N, K, ...) meet class indices (N, ...); 0 for anything else."""
    indices = len(output) == len(target) + 1 >= 2 and [output[0], *output[2:]] == list(target)
    return int(output[1]) if indices else 0


def _zeros_and_ones(trace: Trace, mean: float, std: float) -> bool:
    """Only values of 0 and 1 have this variance (a probability's p (1 - p)) and no larger size than 1."""
    variance = mean * (1 - mean)
    return 0 < mean < 1 and trace["target_absmax"].median() == 1.0 and abs(std**2 - variance) < 0.05 * variance
