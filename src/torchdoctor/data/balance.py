"""Against classes of unequal size: weights for the loss, or chances for a sampler; both of the training samples."""

from __future__ import annotations

import torch
from torch import Tensor

from torchdoctor.errors import BadParts


def class_weights(y: Tensor, classes: int) -> Tensor:
    """(classes,) float32: N / (K n_k) of class k with n_k of the N samples, where K classes occur; so that each class
    counts alike and the samples' mean weight is 1. A class that never occurs gets 1, since no sample will ask for it.

    King and Zeng, Logistic regression in rare events data, 2001. y: (N,) int64. Raises BadParts for other targets.
    """
    counts = _counts(y, classes)
    there = counts > 0
    return torch.where(there, len(y) / (there.sum() * counts.clamp(min=1)), torch.ones(len(counts)))


def sample_weights(y: Tensor, classes: int) -> Tensor:
    """(N,) chances with which a sampler draws every class that occurs equally often."""
    return class_weights(y, classes)[y.cpu()]


def _counts(y: Tensor, classes: int) -> Tensor:
    if y.is_floating_point() or y.ndim != 1:
        raise BadParts(f"data.balance is for classes, but the targets are {y.dtype} of shape {tuple(y.shape)}.")
    return torch.bincount(y.cpu(), minlength=classes).float()
