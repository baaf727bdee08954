"""Signal `update_ratio`."""

from __future__ import annotations

import torch

from torchdoctor.record.moment import Moment, norms, thinned
from torchdoctor.record.signal import Columns, Measured, signal


@signal(unit="1", at="update", per="parameter")
def update_ratio(moment: Moment) -> Measured:
    """|change of the weights in this step| / |weights before it|, per trainable parameter; 0 for one that did not move.

    About 1e-3 is common; a parameter that is all zero is measured against 1e-12.
    """
    if not moment.before:
        return None
    after = [thinned(p) for p in moment.parameters]
    moved = torch.stack([n.float() for n in norms(torch._foreach_sub(after, list(moment.before)))])
    lengths = torch.stack([n.float() for n in norms(moment.before)])
    return Columns(moment.names, moved / lengths.clamp_min(1e-12))
