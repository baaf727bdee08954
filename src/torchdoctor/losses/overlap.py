"""Losses by overlap, for pictures labelled pixel by pixel: soft Dice (Milletari et al., arXiv:1606.04797) and soft IoU.

A class of few pixels counts as much as one of many, which cross-entropy does not do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from torchdoctor.errors import BadParts


class DiceLoss(nn.Module):
    """1 - 2 |A and B| / (|A| + |B|), the mean over classes.

    output: logits (N, K, ...) beside class numbers (N, ...); or (N, 1, ...) beside 0/1 of the same shape. The overlap
    is of the whole batch, so that a class which one picture lacks does no harm. smooth: added above and below.
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        both, sizes = _overlap(output, target)
        return (1 - (2 * both + self.smooth) / (sizes + self.smooth)).mean()


class IoULoss(nn.Module):
    """1 - |A and B| / |A or B|, the mean over classes; shapes as for DiceLoss."""

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        both, sizes = _overlap(output, target)
        return (1 - (both + self.smooth) / (sizes - both + self.smooth)).mean()


def _overlap(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Per class: the sum of probability where the truth is, and the sizes of both together. Both (K,)."""
    if output.shape == target.shape:
        chances, truth = output.sigmoid(), target.to(output.dtype)
    elif output.ndim == target.ndim + 1 and output.shape[:1] + output.shape[2:] == target.shape:
        chances = output.softmax(1)
        truth = one_hot(target.long(), output.shape[1]).movedim(-1, 1).to(output.dtype)
    else:
        raise BadParts(
            f"An output of shape {tuple(output.shape)} has no overlap with a target of shape {tuple(target.shape)}. "
            "Give class numbers (N, ...) beside (N, K, ...), or 0 and 1 in the output's own shape."
        )
    pixels = [d for d in range(output.ndim) if d != 1]
    return torch.sum(chances * truth, pixels), chances.sum(pixels) + truth.sum(pixels)
