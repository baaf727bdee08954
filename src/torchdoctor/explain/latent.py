"""Walks through the latent space of a generative model: what lies between two points, or along one direction.

    pictures = latent_walk(decoder, z0, z1, steps=9)        # any callable from (n, d) to (n, ...)

May not: train, draw random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from torchdoctor.data.batch import first_tensor
from torchdoctor.errors import BadParts

Decoder = Callable[[Tensor], Any]


def latent_walk(
    decoder: Decoder, start: Tensor, end: Tensor, steps: int = 9, way: Literal["spherical", "straight"] = "spherical"
) -> Tensor:
    """What the decoder makes of `steps` points from start (d,) to end (d,), both included: (steps, ...).

    spherical: along the arc between them, which keeps the length that a Gaussian's samples have; a straight way passes
    near the middle, where there are none. T. White, "Sampling Generative Networks", 2016. Raises BadParts.
    """
    if start.ndim != 1 or start.shape != end.shape or steps < 2:
        raise BadParts(
            f"A walk in {steps} steps from {tuple(start.shape)} to {tuple(end.shape)} has no meaning: give two points "
            "(d,) and at least 2 steps."
        )
    return _decoded(decoder, between(start, end, torch.linspace(0, 1, steps), way))


def latent_axes(decoder: Decoder, centre: Tensor, axes: Tensor, reach: float = 2.0, steps: int = 7) -> Tensor:
    """From centre (d,) along each of axes (a, d), from -reach to +reach of its length: (a, steps, ...)."""
    if axes.ndim != 2 or centre.shape != axes.shape[1:]:
        raise BadParts(f"Axes {tuple(axes.shape)} do not fit a centre {tuple(centre.shape)}; give (a, d) and (d,).")
    along = torch.linspace(-reach, reach, steps)
    points = centre + along[None, :, None] * axes[:, None, :]
    made = _decoded(decoder, points.flatten(0, 1))
    return made.reshape(len(axes), steps, *made.shape[1:])


def between(start: Tensor, end: Tensor, shares: Tensor, way: str = "spherical") -> Tensor:
    """Points (n, d) at `shares` (n,), 0..1, of the way from start to end."""
    t = shares[:, None]
    straight = (1 - t) * start + t * end
    lengths = start.norm(), end.norm()
    if way == "straight" or not all(lengths):
        return straight
    angle = torch.arccos((start @ end / (lengths[0] * lengths[1])).clamp(-1, 1))
    if not 1e-4 < angle < torch.pi - 1e-4:  # on one line there is no arc between them, or there are many
        return straight
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)


def _decoded(decoder: Decoder, points: Tensor) -> Tensor:
    with torch.no_grad():
        return first_tensor(decoder(points)).cpu()
