"""Signal `activation_mean`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="forward", per="module")
def activation_mean(moment: Moment) -> Measured:
    """Mean of each layer's output over batch and units."""
    layers = moment.activations.layers
    return Columns(tuple(layers), [layer.mean for layer in layers.values()])
