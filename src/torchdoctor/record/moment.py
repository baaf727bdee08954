"""What a signal may look at. The watch fills it as the step goes on; a signal reads and never writes.

May not: compute statistics of its own (those are the signals' business, or shared in activations.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from torchdoctor.record.activations import Activations

CAP = 262_144  # elements of a parameter that its before-and-after comparison looks at; of more, an even choice


@dataclass
class Moment:
    """names, parameters: the trainable ones, in the order of named_parameters(). scale: a GradScaler's, or None."""

    model: nn.Module
    names: tuple[str, ...] = ()
    parameters: tuple[nn.Parameter, ...] = ()
    loss: Tensor | float | None = None
    scale: Tensor | float | None = None
    activations: Activations = field(default_factory=Activations)
    inputs: Tensor | None = None  # the first floating-point input of the model
    output: Tensor | None = None
    target: Tensor | None = None
    training: bool = True  # the model's own flag in the forward pass that led to backward
    before: Sequence[Tensor] = ()  # the parameters before the optimizer stepped, thinned to CAP elements
    stale: Tensor | float = 0.0  # norm of the gradients that were there before this step's first backward
    received: Tensor | float = 0.0  # norm of the gradients the optimizer got
    rates: tuple[float, ...] = ()  # learning rate of each group
    rates_changed: bool = True
    phases: dict[str, float] = field(default_factory=dict)  # seconds
    skipped: Tensor | bool = False  # a GradScaler found infinite gradients and left the step out
    gradient_norm: Tensor | float = 0.0  # L2 over all parameters after backward, before clipping, unscaled
    gradient_norms: Sequence[Tensor] = ()  # of each parameter that has one, unscaled

    @property
    def gradient_names(self) -> tuple[str, ...]:
        """Of the parameters that have a gradient."""
        return tuple(n for n, p in zip(self.names, self.parameters) if p.grad is not None)

    @property
    def gradients(self) -> list[Tensor]:
        """Those that are there, dense; of a sparse one its values."""
        return [dense(g) for p in self.parameters if (g := p.grad) is not None]


def dense(gradient: Tensor) -> Tensor:
    """A sparse embedding's gradient holds only the rows that were used."""
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def thinned(parameter: Tensor) -> Tensor:
    """At most about CAP elements, evenly spaced, as a view: comparing them costs the same for any size."""
    flat = parameter.detach().reshape(-1)
    return flat[:: -(-flat.numel() // CAP)] if flat.numel() > CAP else flat


def norms(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """L2 norm of each, as 0-d tensors, in one fused call."""
    # The private name is what torch.nn.utils.clip_grad_norm_ itself is built on; there is no public one per tensor.
    if not tensors:
        return ()
    # In float16 the norm of ordinary gradients overflows, and in bfloat16 it has two digits.
    return torch._foreach_norm(list(tensors), 2, torch.float32 if tensors[0].dtype.itemsize < 4 else None)


def total_norm(each: Sequence[Tensor]) -> Tensor | float:
    """L2 norm of all together, from the norm of each; 0 when there are none."""
    if not each:
        return 0.0
    if each[0].device.type == "cpu":  # every step: a tenth of the time of stacking them
        return math.sqrt(sum((v := n.item()) * v for n in each))
    mixed = any(n.dtype != each[0].dtype for n in each)
    total: Tensor = torch.linalg.vector_norm(torch.stack([n.float() for n in each] if mixed else list(each)))
    return total
