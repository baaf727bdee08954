"""The learning-rate range test: one short run whose rate rises from far too low to far too high.

What comes out is an interval, and a rate in it to be raced: a sweep is one order of batches from one start, and a rate
that falls fastest in it may still break a run in its hundredth step. L. N. Smith, "Cyclical Learning Rates for Training
Neural Networks", arXiv:1506.01186, section 3.3; there the rate rises in a straight line, here by equal factors, since
nothing is known of its size.
May not: judge, print, change what it is handed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
import torch

from torchdoctor.errors import TorchDoctorError
from torchdoctor.fixes.surgery import device_of
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import WHOLE, Trace
from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, batches_of, scalar
from torchdoctor.probes.fork import forked, preserved, reading

DOWN, UP = 4, 6  # decades below and above the planned rate; a sweep that leaves what can be trained ends there
GONE = 4.0  # times the first loss: the sweep has left what can be trained, and ends
WIDTH = 0.05  # of the sweep, over which the loss is averaged
FALLEN = 0.1  # of the whole fall, from which on a rate counts as one that learns
NEAR = 0.3  # of that rate, and no more
SAFE = 0.1  # of the rate at the lowest loss: there the sweep is about to turn, and a run would not end well


@dataclass(frozen=True)
class Interval:
    """Factors of the planned rate. low: from here on the loss falls; high: here it is lowest, and about to rise.
    raced: the factor that is worth a race, a power of ten, not near the upper end."""

    low: float
    high: float

    @property
    def raced(self) -> float:
        power = round(math.log10(max(self.low, SAFE * self.high)))
        return float(10.0 ** (power - (10.0**power > NEAR * self.high)))


def swept(parts: Parts, steps: int) -> Trace:
    """Losses of a sweep of so many steps on a copy, before each step, and the factors of the planned rate they were
    taken at. The fact `samples` is what it read. Where the network cannot be stepped like this (an optimizer that needs
    a closure, a loss that fails), what there was by then."""
    losses: list[float] = []
    factors = 10.0 ** np.linspace(-DOWN, UP, steps)
    samples = 0
    with preserved(parts):
        twin = forked(parts)
        twin.model.train()
        planned = [group["lr"] for group in twin.optimizer.param_groups]
        passes = chain.from_iterable(batches_of(reading(loader), "train") for loader in repeat(parts.train))
        try:
            for factor, batch in zip(factors.tolist(), passes):
                samples += batch.size
                for group, rate in zip(twin.optimizer.param_groups, planned):
                    group["lr"] = rate * factor
                losses.append(_stepped(twin, batch))
                if not losses[-1] <= GONE * abs(losses[0]):
                    break
        except TorchDoctorError:
            raise
        except Exception:  # noqa: BLE001 - the user's model, loss and optimizer run in here, at rates nobody planned
            pass
    steps_taken = range(len(losses))
    data = {"range_loss": losses, "range_factor": factors[: len(losses)].tolist()}
    return Trace({k: {WHOLE: Series.of(v, steps=steps_taken)} for k, v in data.items()}, {"samples": samples})


def interval(sweep: Trace) -> Interval | None:
    """Where in the sweep the loss falls; None where it never did, by more than it jumps from batch to batch."""
    losses, factors = sweep["range_loss"].values, sweep["range_factor"].values
    finite = np.isfinite(losses)
    losses, factors = losses[finite], factors[finite]
    width = max(3, round(WIDTH * len(losses)))
    if len(losses) < 4 * width:
        return None
    smooth = np.convolve(losses, np.ones(width) / width, mode="valid")  # the mean of a step and of those before it
    begun = smooth[: max(width, len(smooth) // 10)]
    lowest = int(np.argmin(smooth))
    fall, jumps = float(begun.mean() - smooth[lowest]), float(np.std(np.diff(losses[: len(losses) // 4])) / width**0.5)
    if not fall > 2 * jumps:
        return None
    learning = np.flatnonzero(smooth[: lowest + 1] > begun.mean() - FALLEN * fall)
    first = int(learning[-1]) if len(learning) else 0
    ends = factors[width - 1 :]
    return Interval(float(ends[first]), float(ends[lowest]))


def _stepped(parts: Parts, batch: Batch) -> float:
    """The loss of a batch; its gradient has been followed."""
    here = batch.to(device_of(parts.model))
    parts.optimizer.zero_grad()
    loss = scalar(parts.loss_fn(parts.model(*here.inputs), here.target))
    if torch.isfinite(loss):
        loss.backward()  # type: ignore[no-untyped-call]
        parts.optimizer.step()
    return float(loss.detach())
