"""The lowest loss that free numbers can reach: no weights, no data, only what stands between the numbers and the loss.

May not: judge, print, know what the numbers are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from torchdoctor.probes.stopwatch import Stopwatch

STEPS = 150
PATIENCE = 3.0  # seconds
SOLVED = 1e-4  # of the loss at the start: low enough to stop looking
# Lengths of the first step, in units of the numbers' scale. They shrink to nothing along half a cosine, so that a walk
# covers 75 of them and still ends within a hundredth of one.
RATES = (0.03, 0.3, 1.0)

Numbers = list[Tensor]


class Lowest(NamedTuple):
    """loss: the least value met. numbers: where, detached. first: the loss at the start."""

    loss: float
    numbers: Numbers
    first: float


def lowest(
    loss_of: Callable[[Numbers], Tensor], start: Sequence[Tensor], scale: float = 1.0, patience: float = PATIENCE
) -> Lowest | None:
    """Adam from `start` at several rates; the best point of all walks.

    loss_of: numbers -> scalar; it may raise or be NaN where the loss is not defined, which ends that walk. None when
    the loss is not finite at the start, or when `patience` seconds end before two walks have: the first alone is too
    short to say that what it did not reach cannot be reached.
    """
    stopwatch = Stopwatch()
    here = [t.detach().clone() for t in start]
    first = _value(loss_of, here)
    if not math.isfinite(first):
        return None
    best = Lowest(first, here, first)
    for rate in RATES:
        found = _walk(loss_of, best, here, rate * scale, stopwatch, patience)
        if found is None:
            return best if rate == RATES[-1] else None
        best = found
        if 0 <= best.loss < SOLVED * first:
            break
    return best


def _walk(
    loss_of: Callable[[Numbers], Tensor],
    best: Lowest,
    start: Numbers,
    rate: float,
    stopwatch: Stopwatch,
    patience: float,
) -> Lowest | None:
    """The best so far, or what is met on the way from `start` where that is lower; None when the time is up."""
    numbers = [t.clone().requires_grad_(True) for t in start]
    # Losses that are means over many numbers have gradients far below Adam's usual eps.
    optimizer = torch.optim.Adam(numbers, lr=rate, betas=(0.9, 0.99), eps=1e-20)
    for k in range(STEPS):
        if stopwatch.seconds > patience:
            return None
        optimizer.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * k / STEPS))
        loss = _differentiated(loss_of, numbers)
        if not math.isfinite(loss):
            break
        if loss < best.loss:
            best = best._replace(loss=loss, numbers=[t.detach().clone() for t in numbers])
        optimizer.step()
    return best


def _differentiated(loss_of: Callable[[Numbers], Tensor], numbers: Numbers) -> float:
    """The loss, its gradient left in `numbers`; NaN where it is not defined."""
    for t in numbers:
        t.grad = None
    try:
        with torch.enable_grad():
            loss = loss_of(numbers)
        loss.backward()  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - a loss may refuse values in any way it likes; refusing is an answer
        return math.nan
    return float(loss.detach())


def _value(loss_of: Callable[[Numbers], Tensor], numbers: Numbers) -> float:
    try:
        with torch.no_grad():
            return float(loss_of(numbers))
    except Exception:  # noqa: BLE001 - as above
        return math.nan
