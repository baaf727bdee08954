"""Disturbances made on purpose: FGSM and PGD, which raise the loss within a small distance of each input.

Only gradients of the inputs are taken: weights, their gradients and the model's modes stay as they are.
May not: draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Loss = Callable[[Tensor], Tensor]  # inputs (n, ...) -> (n,) loss of each sample


@dataclass(frozen=True)
class Bounds:
    """Where attacked inputs must stay: within `eps` of the original in every element (L-infinity), and in low..high.

    All in the unit of the inputs: numbers, or tensors with one for each feature.
    """

    eps: Any
    low: Any
    high: Any

    def clamp(self, attacked: Tensor, x: Tensor) -> Tensor:
        """The nearest allowed inputs."""
        near = torch.minimum(torch.maximum(attacked, x - self.eps), x + self.eps)
        return near.clamp(self.low, self.high)


def fgsm(x: Tensor, loss: Loss, bounds: Bounds) -> Tensor:
    """One step of length eps along the sign of the gradient.

    Goodfellow, Shlens, Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015.
    """
    return bounds.clamp(x + bounds.eps * _slope(x, loss).sign(), x)


def pgd(
    x: Tensor, loss: Loss, bounds: Bounds, generator: torch.Generator, *, steps: int = 10, restarts: int = 2
) -> Tensor:
    """Steps of 2.5 eps / steps along the gradient's sign, each brought back into bounds; the worst inputs met are kept.

    It starts at x itself, at the FGSM point, and at random points, so that it is never weaker than FGSM.

    Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018.
    """
    best, worst = x, _value(x, loss)
    random = [bounds.clamp(x + bounds.eps * _ball(x, generator), x) for _ in range(restarts - 1)]
    for at in (fgsm(x, loss, bounds), *random):
        for step in range(steps + 1):
            reached = _value(at, loss)
            higher = (reached > worst).reshape(-1, *[1] * (x.ndim - 1))
            best, worst = torch.where(higher, at, best), torch.maximum(reached, worst)
            if step < steps:
                at = bounds.clamp(at + 2.5 * bounds.eps / steps * _slope(at, loss).sign(), x)
    return best


def random_corner(x: Tensor, bounds: Bounds, generator: torch.Generator) -> Tensor:
    """Every element moved by eps, up or down by chance: what an attack must beat."""
    return bounds.clamp(x + bounds.eps * _ball(x, generator).sign(), x)


def _ball(x: Tensor, generator: torch.Generator) -> Tensor:
    return (2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1).to(x.device)


def _slope(x: Tensor, loss: Loss) -> Tensor:
    """The gradient of each sample's loss by its own inputs; where it is NaN nothing moves."""
    with torch.enable_grad():
        at = x.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(at).sum(), at)
    return slope.nan_to_num(0.0, 0.0, 0.0)


def _value(x: Tensor, loss: Loss) -> Tensor:
    with torch.no_grad():
        return loss(x)
