"""Signal `saturated_share`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="share, 0..1", at="forward", per="module")
def saturated_share(moment: Moment) -> Measured:
    """Share of a layer's output within 3 % of its own range from its least or greatest value, exact zeros left out."""
    layers = moment.activations.layers
    return Columns(tuple(layers), [layer.saturated.mean() for layer in layers.values()])
