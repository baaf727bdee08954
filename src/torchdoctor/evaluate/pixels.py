"""Answers for every pixel (segmentation), or every token: overlap of what is there with what was said to be there.

Counted batch by batch, since the outputs of a whole data set would not fit into memory. Samples, not pixels, are what
an interval resamples: the pixels of one picture are right or wrong together.
May not: run a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from torchdoctor.evaluate.interval import Floats, Interval, bootstrap

TIMES = 400  # resamples


@dataclass(frozen=True)
class Region:
    """share: of all pixels that are of the class. iou: pixels that are of the class and called so, of those that are
    either. dice: twice the former, of the sum of both; it is the F1 score. Each with its 95 % interval over samples."""

    name: str
    share: float
    iou: Interval
    dice: Interval


class Counted(NamedTuple):
    """Of a batch. pixels: (N, 3, K) int64: of each class those that are right, that are of it, that are called it.
    commonest: (N,) the class of most pixels. surprise: (N,) mean -log of the probability of the truth, in nats."""

    pixels: Tensor
    commonest: Tensor
    surprise: Tensor


def labelled_by_pixel(output: Tensor, target: Tensor) -> bool:
    """Class scores (N, K, ...) beside class numbers (N, ...), or one output beside a 0 or 1 for each pixel."""
    if output.ndim < 3:
        return False
    if output.shape == target.shape or output.shape == (target.shape[0], 1, *target.shape[1:]):
        return bool(((target == 0) | (target == 1)).all())
    return output.shape[1] > 1 and not target.is_floating_point() and _flat(target, output).numel() > 0


def counted(output: Tensor, target: Tensor) -> Counted:
    """Of a batch that is `labelled_by_pixel`. Pixels whose label no output stands for (-100, 255) do not count."""
    odds = _odds(output)
    n, classes = odds.shape[:2]
    truth, guess = target.reshape(n, -1).long(), odds.argmax(1)
    known = (truth >= 0) & (truth < classes)
    sample = torch.arange(n, device=truth.device)[:, None].expand_as(truth)

    def per_class(labels: Tensor, here: Tensor) -> Tensor:
        return torch.bincount((sample * classes + labels)[here], minlength=n * classes).reshape(n, classes)

    of_it = per_class(truth, known)
    pixels = torch.stack([per_class(truth, known & (guess == truth)), of_it, per_class(guess, known)], 1)
    nats = -odds.gather(1, truth.clamp(0, classes - 1)[:, None])[:, 0] * known
    return Counted(pixels.cpu(), of_it.argmax(1).cpu(), (nats.sum(1) / known.sum(1).clamp_min(1)).cpu())


def regions(pixels: Floats, names: Sequence[str], seed: int = 0) -> tuple[Region, ...]:
    """pixels: (N, 3, K), as counted."""
    shares = pixels[:, 1].sum(0) / max(1.0, pixels[:, 1].sum())
    return tuple(
        Region(
            name,
            float(shares[k]),
            bootstrap(mean_iou, (pixels[:, :, k : k + 1],), seed, TIMES),
            bootstrap(mean_dice, (pixels[:, :, k : k + 1],), seed, TIMES),
        )
        for k, name in enumerate(names)
    )


def averages(pixels: Floats, seed: int = 0) -> dict[str, Interval]:
    """Over all classes and all samples."""
    made = {"mean IoU": mean_iou, "mean Dice": mean_dice, "pixel accuracy": accuracy}
    return {name: bootstrap(measure, (pixels,), seed, TIMES) for name, measure in made.items()}


def mean_iou(pixels: Floats) -> float:
    """Over the classes that occur or were called; NaN when none did. pixels: (N, 3, K)."""
    right, true, called = pixels.sum(0)
    return _mean(right, true + called - right)


def mean_dice(pixels: Floats) -> float:
    """As mean_iou."""
    right, true, called = pixels.sum(0)
    return _mean(2 * right, true + called)


def accuracy(pixels: Floats) -> float:
    """Share of the pixels that are right; NaN when none has a label."""
    right, true, _ = pixels.sum(0)
    return float(right.sum() / true.sum()) if true.sum() else float("nan")


def _mean(part: Floats, whole: Floats) -> float:
    there = whole > 0
    return float((part[there] / whole[there]).mean()) if there.any() else float("nan")


def _odds(output: Tensor) -> Tensor:
    """(N, K, pixels) log-probabilities; one output is a yes or no, and given as a probability or its logit."""
    flat = output.detach().float().reshape(*output.shape[:2], -1)
    if flat.shape[1] > 1:
        return flat.log_softmax(1)
    yes = flat if bool(((flat < 0) | (flat > 1)).any()) else flat.clamp(1e-7, 1 - 1e-7).logit()
    return torch.nn.functional.logsigmoid(torch.cat([-yes, yes], 1))


def _flat(target: Tensor, output: Tensor) -> Tensor:
    """The target as (N, pixels) where it has one number for each place of the output (N, K, ...); else empty."""
    plain = target[:, 0] if target.ndim == output.ndim and target.shape[1] == 1 else target
    return plain.flatten(1) if plain.shape == output.shape[:1] + output.shape[2:] else target.new_empty(0)
