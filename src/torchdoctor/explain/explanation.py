"""What an explanation found, as plain frozen records.

May not: compute, print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from torchdoctor.explain.attribution import Attribution
from torchdoctor.explain.checks import Check
from torchdoctor.explain.seen import SeenLayer


@dataclass(frozen=True, eq=False)
class Explanation:
    """sample: its number. x: (C, H, W) or (features,). baseline: of the same shape. truth, guess: names, or numbers.
    target: the class or output that is explained. probabilities: {class: probability}, the likeliest first.

    left_out: {what was not done: why}.
    """

    sample: int
    x: Tensor
    baseline: Tensor
    truth: str
    guess: str
    target: str
    probabilities: Mapping[str, float]
    attributions: tuple[Attribution, ...]
    checks: tuple[Check, ...]
    layers: tuple[SeenLayer, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: all but the pictures of layers, which the page has."""
        return {
            "sample": self.sample, "truth": self.truth, "guess": self.guess, "target": self.target,
            "probabilities": dict(self.probabilities), "left_out": dict(self.left_out),
            "attributions": {a.method: a.values.tolist() for a in self.attributions},
            "checks": [asdict(check) for check in self.checks],
            "layers": [
                {"layer": s.layer, "type": s.type, "channels": s.channels, "field": list(s.field)} for s in self.layers
            ],
        }  # fmt: skip
