"""Which units are dead, judged over a window of many samples: one batch alone calls healthy sparse units dead.

May not: judge; keep more than one vector per layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from torchdoctor.record.activations import Activations
from torchdoctor.record.signal import Columns

WINDOW = 512  # samples, enough that a unit active for 1 % of them is missed in 0.6 % of windows: 0.99 ** 512
STEPS = 16  # sampled steps after which a window ends all the same: a convolution's many positions tell as much


KEPT = {
    "unit_mean": "means",
    "unit_variance": "variances",
    "unit_zero_share": "zeros",
    "unit_saturated_share": "saturated",
}


@dataclass
class _Layer:
    sums: Tensor  # (4, units): over the sampled steps, in the order of KEPT
    steps: int
    samples: int


class UnitWindow:
    """Adds up what each unit did until the window holds enough samples."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}

    def add(self, activations: Activations) -> None:
        for name, now in activations.layers.items():
            values = torch.stack([getattr(now, field) for field in KEPT.values()])
            old = self._layers.get(name)
            if old is None or old.sums.shape != values.shape or old.sums.device != values.device:
                self._layers[name] = _Layer(values, 1, now.samples)
            else:
                old.sums += values
                old.steps += 1
                old.samples += now.samples

    @property
    def full(self) -> bool:
        layers = self._layers.values()
        return bool(layers) and (min(la.samples for la in layers) >= WINDOW or max(la.steps for la in layers) >= STEPS)

    def take(self) -> dict[str, list[Columns]]:
        """The window's signals, by name; a new window begins."""
        layers, self._layers = self._layers, {}
        if not layers:
            return {}
        averages = {name: layer.sums / layer.steps for name, layer in layers.items()}
        zeros = {name: table[list(KEPT).index("unit_zero_share")] for name, table in averages.items()}
        taken = {
            # A unit is dead when every one of its values was zero; the mean of the shares may miss 1 by rounding.
            "dead_share": [Columns(tuple(zeros), [(share >= 1 - 1e-6).float().mean() for share in zeros.values()])],
            "window_samples": [Columns(tuple(layers), [float(layer.samples) for layer in layers.values()])],
        }
        for row, signal in enumerate(KEPT):
            taken[signal] = [Columns((name,), table[row]) for name, table in averages.items()]
        return taken
