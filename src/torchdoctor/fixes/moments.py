"""Mean and standard deviation of training inputs and targets, read from the first batches.

May not: train, judge, print, advance the user's loader.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from torchdoctor.errors import BadParts
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import batches_of
from torchdoctor.probes.fork import preserved, reading

Numbers = float | Sequence[float]
BATCHES = 100  # the error of a mean over so many is below a hundredth of a standard deviation


class Moments(NamedTuple):
    """Shaped to broadcast over a batch, for example (C, 1, 1) for images (N, C, H, W)."""

    mean: Tensor
    std: Tensor


def input_moments(parts: Parts) -> list[Moments]:
    """One for each float input. Raises BadParts when there is none."""
    with preserved(parts):
        batches = [b.inputs for b in islice(batches_of(reading(parts.train), "train"), BATCHES)]
    columns = [[row[i] for row in batches] for i in range(len(batches[0]))]
    floats = [c for c in columns if isinstance(c[0], Tensor) and c[0].is_floating_point()]
    if not floats:
        raise BadParts(
            "No input is of a floating-point type, so there is nothing to standardise: ids stay as they are."
        )
    return [moments(torch.cat(c)) for c in floats]


def target_moments(parts: Parts) -> Moments:
    """Of the targets as they come. Raises BadParts when they are no floating-point tensors."""
    with preserved(parts):
        targets = [b.target for b in islice(batches_of(reading(parts.train), "train"), BATCHES)]
    if not all(isinstance(t, Tensor) and t.is_floating_point() for t in targets):
        raise BadParts("The targets are no floating-point numbers, so they have no scale: classes stay as they are.")
    return moments(torch.cat(targets))


def moments(x: Tensor) -> Moments:
    """Over everything but the feature: columns of a table, channels of images, and of sequences the dimension in which
    they differ most. What never varies keeps its size: its std counts as 1. NaN and infinity are left out."""
    x = x.detach().double()
    kept = [d for d in _feature_dims(x) if x.shape[d] > 1]
    over = [d for d in range(x.ndim) if d not in kept]
    x = torch.where(torch.isfinite(x), x, torch.nan)
    mean = x.nanmean(over, keepdim=True).nan_to_num()
    std = (x - mean).square().nanmean(over, keepdim=True).sqrt().nan_to_num()
    std = torch.where(std > 1e-7 * mean.abs(), std, 1.0)
    return Moments(mean[0].float(), std[0].float()) if x.ndim else Moments(mean.float(), std.float())


def given(mean: Numbers, std: Numbers, like: Moments) -> Moments:
    """Known statistics, one number or one for each feature, in the shape of measured ones."""
    values = [torch.as_tensor(v, dtype=like.mean.dtype) for v in (mean, std)]
    shaped = [v.reshape(like.mean.shape) if v.numel() == like.mean.numel() else v.reshape(()) for v in values]
    return Moments(shaped[0], shaped[1])


def _feature_dims(x: Tensor) -> list[int]:
    if x.ndim == 3:
        return [max((1, 2), key=lambda d: _spread(x, 3 - d))]
    return [1] if x.ndim > 1 else []


def _spread(x: Tensor, over: int) -> float:
    """How much features differ in size when dimension `over` (and the samples) is summed up."""
    size = x.square().nanmean((0, over)).sqrt()
    return float(size.max() / size[size > 0].min()) if bool((size > 0).any()) else 1.0
