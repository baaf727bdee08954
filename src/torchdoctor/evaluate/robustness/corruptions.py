"""Disturbances that happen by themselves: noise, blur, loss of contrast; each in five degrees.

May not: draw from the global random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

Corruption = Callable[[Tensor, float, torch.Generator], Tensor]
# By degree: noise as a share of the inputs' own standard deviation, blur as a share of the smaller side of the picture,
# contrast as the share of it that is left.
DEGREES: Mapping[str, tuple[float, ...]] = {
    "noise": (0.1, 0.2, 0.4, 0.7, 1.0),
    "blur": (0.01, 0.02, 0.04, 0.06, 0.1),
    "contrast": (0.75, 0.5, 0.3, 0.2, 0.1),
}


def noisy(x: Tensor, degree: float, generator: torch.Generator) -> Tensor:
    """x (N, ...) with Gaussian noise of `degree` standard deviations: of all pixels, or of each feature of a table."""
    draw = torch.randn(x.shape, generator=generator, dtype=x.dtype)  # on the CPU: the same on every device
    spread = x.std(0, correction=0) if x.ndim == 2 else x.std()
    return x + degree * spread * draw.to(x.device)


def blurred(x: Tensor, degree: float, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, H, W) blurred by a Gaussian whose standard deviation is `degree` of the smaller side."""
    sigma = degree * min(x.shape[-2:])
    reach = 2 * math.ceil(3 * sigma) + 1
    widest = 2 * ((min(x.shape[-2:]) - 1) // 2) + 1  # padding by reflection ends at the other edge
    made: Tensor = gaussian_blur(x, [min(reach, widest)] * 2, [sigma, sigma])
    return made


def faded(x: Tensor, degree: float, generator: torch.Generator) -> Tensor:
    """Each sample drawn towards its own mean; `degree` of its contrast is left."""
    mean = x.mean(dim=tuple(range(1, x.ndim)), keepdim=True)
    return mean + degree * (x - mean)


def corruptions_for(x: Tensor) -> Mapping[str, Corruption]:
    """Those that make sense for inputs of this shape: pictures can be blurred, tables only take noise."""
    if x.ndim == 4 and min(x.shape[-2:]) > 1:
        return {"noise": noisy, "blur": blurred, "contrast": faded}
    return {"noise": noisy}
