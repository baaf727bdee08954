"""Signal `identical_rows`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Columns, Measured, signal

COLUMNS = 64  # inputs compared per unit: units that agree in so many agree in all


@signal(unit="share, 0..1", at="update", per="parameter")
def identical_rows(moment: Moment) -> Measured:
    """Share of a weight's output units (rows) that equal the first one's; of weights with at least two units and two
    dimensions."""
    rows = {
        name: p.detach().flatten(1)[:, :COLUMNS]
        for name, p in zip(moment.names, moment.parameters)
        if p.dim() >= 2 and len(p) > 1
    }
    return Columns(tuple(rows), [(w[1:] == w[0]).all(1).float().mean() for w in rows.values()])
