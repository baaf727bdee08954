"""What the validation data say about scores: how many samples there are, and what kind of number a score is.

May not: train, judge, print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor

from torchdoctor.cures.effect import Ruler
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import batches_of
from torchdoctor.probes.fork import preserved, reading


def ruler_for(experiment: Experiment, parts: Parts) -> Ruler:
    """Samples, and what kind of number the score is: a share where targets are classes or 0/1."""
    loader = parts.train if parts.val is None else parts.val
    with preserved(parts):
        targets = [b.target for b in islice(batches_of(reading(loader), "val"), 1000)]
    tensors = [t for t in targets if isinstance(t, Tensor)]
    one_hot = bool(tensors) and tensors[0].is_floating_point()
    samples = sum((len(t) if one_hot and t.ndim else t.numel()) for t in tensors)  # of dense labels, every pixel
    if not tensors or experiment.score is not None:
        return Ruler(max(1, samples), "own")
    if any(t.is_floating_point() and not bool(((t == 0) | (t == 1)).all()) for t in tensors):
        # A loop of the user's may train for something that R2 does not measure.
        return Ruler(samples, "r2", chance=0.0 if experiment.fit is None or experiment.recipe else math.nan)
    return Ruler(samples, "share", chance=_chance(tensors))


def _chance(targets: Sequence[Tensor]) -> float:
    """The share of the commonest class; of 0/1 numbers, for the area under the curve, one half."""
    if targets[0].is_floating_point() and targets[0].numel() == len(targets[0]):
        return 0.5
    classes = torch.cat([(t.argmax(1) if t.is_floating_point() else t).reshape(-1) for t in targets])
    known = classes[classes >= 0]
    return float(known.bincount().max() / len(known)) if len(known) else math.nan
