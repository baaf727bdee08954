"""Signal `zero_share`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="share, 0..1", at="forward", per="module")
def zero_share(moment: Moment) -> Measured:
    """Share of exact zeros in each layer's output."""
    layers = moment.activations.layers
    return Columns(tuple(layers), [layer.zeros.mean() for layer in layers.values()])
