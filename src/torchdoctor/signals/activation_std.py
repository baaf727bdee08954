"""Signal `activation_std`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward", per="module")
def activation_std(moment: Moment) -> Measured:
    """Standard deviation of each layer's output over batch and units."""
    layers = moment.activations.layers
    return Columns(tuple(layers), [layer.std for layer in layers.values()])
