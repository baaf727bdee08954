"""Any transform of torchvision.transforms.v2, or one's own, as a step of a policy: sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from torchdoctor.data.augment.step import Random
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Foreign:
    """Such transforms draw from torch's global generator: it is seeded for them and put back afterwards."""

    name: str
    transform: Callable[[Tensor], Tensor]
    ndim: ClassVar[int | None] = None
    channels: ClassVar[int | None] = None

    def changed(self, x: Tensor, random: Random) -> Tensor:
        with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
            torch.manual_seed(int(random.integers(2**63 - 1)))
            made = [self.transform(sample) for sample in x]
        odd = next((t for t in made if not isinstance(t, Tensor) or t.shape != x.shape[1:]), None)
        if odd is not None:
            what = f"shape {tuple(odd.shape)}" if isinstance(odd, Tensor) else f"type {type(odd).__name__}"
            raise BadParts(f"Augmentation {self.name} made a sample of {what} of one of {tuple(x.shape[1:])}.")
        return torch.stack(made).to(x.dtype)
