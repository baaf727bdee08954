"""Are weights still as random as when they were drawn? What the rules on parameters that do not learn share.

May not: read files, import torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torchdoctor.judge.trace import Trace


def fresh_share(trace: Trace, names: Sequence[str], drawn: float) -> float | None:
    """Of the numbers in those of the named parameters that can be judged, the share in matrices whose largest singular
    value is at most `drawn` times that of the same numbers shuffled; None when none of them can be judged."""
    sizes = {n: math.prod(p["shape"]) for n, p in trace.facts.get("parameters", {}).items()}
    values = {n: trace.value("weight_structure", n) for n in names if n in sizes}
    known = {n: value for n, value in values.items() if value is not None}
    if not known:
        return None
    fresh = sum(sizes[n] for n, value in known.items() if value <= drawn)
    return float(fresh / max(1, sum(sizes[n] for n in known)))
