"""Which units are dead, judged over a window of many samples: one batch alone calls healthy sparse units dead.

May not: judge; keep more than one vector per layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from torchdoctor.record.activations import Activations
from torchdoctor.record.signal import Columns

WINDOW = 512  # samples, enough that a unit active for 1 % of them is missed in 0.6 % of windows: 0.99 ** 512
STEPS = 16  # sampled steps after which a window ends all the same: a convolution's many positions tell as much


@dataclass
class _Layer:
    zeros: Tensor  # (units,) sum over sampled steps of the share of zeros
    steps: int
    samples: int


class UnitWindow:
    """Adds up the share of zeros of every unit until the window holds enough samples."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}

    def add(self, activations: Activations) -> None:
        for name, now in activations.layers.items():
            old = self._layers.get(name)
            if old is None or old.zeros.shape != now.unit_zeros.shape:
                self._layers[name] = _Layer(now.unit_zeros.clone(), 1, now.samples)
            else:
                old.zeros += now.unit_zeros
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
        shares = {name: layer.zeros / layer.steps for name, layer in layers.items()}
        # A unit is dead when every one of its values was zero; the mean of the shares may miss 1 by rounding.
        dead = [(share >= 1 - 1e-6).float().mean() for share in shares.values()]
        return {
            "dead_share": [Columns(tuple(shares), dead)],
            "window_samples": [Columns(tuple(shares), [float(layer.samples) for layer in layers.values()])],
            "unit_zero_share": [Columns((name,), share) for name, share in shares.items()],
        }
