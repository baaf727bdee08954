"""The first samples of a loader, as many as a check can afford to look at one by one.

May not: judge, print, run the model.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torchdoctor.parts import Loader
from torchdoctor.probes.batch import Batch, class_ids
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.probes.survey import indexed

SAMPLES = 800  # read; of 240 asked, a relation worth having shows
NUMBERS = 10_000_000  # of them at most
READING = 1.0  # seconds


def first_samples(bench: Bench, loader: Loader, name: str) -> tuple[list[int], Tensor, Tensor]:
    """Names, inputs (N, ...) and targets (N,) of the first samples; nothing where they are of another form.

    name: what messages call the loader.
    """
    stopwatch = Stopwatch()
    names: list[int] = []
    inputs: list[Tensor] = []
    targets: list[Tensor] = []
    for indices, batch in indexed(loader, name):
        if not _plain(batch) or (inputs and batch.inputs[0].shape[1:] != inputs[0].shape[1:]):
            return [], torch.empty(0), torch.empty(0)
        names += list(range(len(names), len(names) + batch.size)) if indices is None else list(indices)
        inputs.append(batch.inputs[0].detach().cpu())
        targets.append(batch.target.detach().cpu())
        enough = len(names) >= SAMPLES or len(names) * inputs[0][0].numel() >= NUMBERS
        if enough or stopwatch.seconds > READING:
            break
    if not names:
        return [], torch.empty(0), torch.empty(0)
    target = torch.cat(targets)
    if bench.kind in ("classes", "binary"):
        return names, torch.cat(inputs), class_ids(target).reshape(-1)
    if bench.kind != "continuous" or target.numel() != len(target):
        return [], torch.empty(0), torch.empty(0)
    return names, torch.cat(inputs), target.reshape(-1).float()


def _plain(batch: Batch) -> bool:
    """One tensor in, and one class or number, or one row of shares, out."""
    if len(batch.inputs) != 1 or not all(isinstance(t, Tensor) and t.ndim for t in (batch.inputs[0], batch.target)):
        return False
    x, target = batch.inputs[0], batch.target
    return len(x) == len(target) == batch.size and x.ndim > 1 and target.ndim <= 2 and not x.is_complex()
