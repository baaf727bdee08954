"""The sizes of gradients at three moments of a step: left over before it, made by it, received by the optimizer.

A GradScaler's scale is divided out of all of them. May not: write to a gradient, wait for a device.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from torchdoctor.record.moment import Moment, dense, norms, total_norm


@torch.no_grad()
def read_left_over(moment: Moment, optimizer: Optimizer) -> None:
    """Before the first backward, of what this optimizer steps: of other parameters they do no harm."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    there = [dense(g) for p in moment.parameters if (g := p.grad) is not None and id(p) in held]
    moment.stale = unscaled(moment, total_norm(norms(there)))


@torch.no_grad()
def read_made(moment: Moment) -> None:
    """Right after backward."""
    moment.gradient_norms = norms(moment.gradients)
    if moment.scale is not None:
        moment.gradient_norms = [n / moment.scale for n in moment.gradient_norms]
    moment.gradient_norm = total_norm(moment.gradient_norms)


@torch.no_grad()
def read_received(moment: Moment, optimizer: Optimizer) -> None:
    """When the optimizer steps. Under a GradScaler a fused one unscales by itself."""
    scale = getattr(optimizer, "grad_scale", None)
    received = total_norm(norms(moment.gradients))
    moment.received = received / scale if isinstance(scale, Tensor) else received


def unscaled(moment: Moment, value: Tensor | float) -> Tensor | float:
    """Without the scale of a GradScaler."""
    return value if moment.scale is None else value / moment.scale
