"""Has a weight matrix learnt anything? Shuffling independent random numbers leaves their singular values alone.

May not: judge, print, change the weight.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 128  # rows and columns looked at; more costs seconds and says no more
LEAST = 8  # rows and columns; the singular values of a smaller matrix say little
SHUFFLES = 5


def structure(weight: Tensor) -> float | None:
    """Largest singular value over the mean of that of the same numbers in random order; None for a small matrix.

    weight: (units, ...). About 1 for every draw of independent numbers, whatever their distribution, below 1 for an
    orthogonal matrix, clearly above for weights that were trained (a few directions stand out: spiked random matrices,
    Marchenko and Pastur 1967, Baik et al. 2005).
    """
    if weight.ndim < 2:
        return None
    block = weight.detach().flatten(1)[:BLOCK, :BLOCK].to("cpu", torch.float64)
    if min(block.shape) < LEAST or not bool(torch.isfinite(block).all()):
        return None
    generator = torch.Generator().manual_seed(0)
    flat = block.flatten()
    shuffled = [flat[torch.randperm(len(flat), generator=generator)].view_as(block) for _ in range(SHUFFLES)]
    usual = sum(_largest(s) for s in shuffled) / SHUFFLES
    return _largest(block) / usual if usual > 0 else None


def _largest(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix, ord=2))
