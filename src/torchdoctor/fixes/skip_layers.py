"""A way around each layer that keeps the shape of what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn


def code() -> str:
    return "x = x + self.layer(x)   # not x = self.layer(x), for every hidden layer as wide as what it is given"


@fix(code=code)
def skip_layers(parts: Parts) -> Parts:
    """Add to what such a layer gives what it was given, so that signal and gradient have a way through.

    Raises BadParts when no layer keeps the shape of its input.
    """
    from torchdoctor.fixes.surgery import first_batch, operated
    from torchdoctor.probes.skips import with_skips

    batch = first_batch(parts)

    def change(model: nn.Module) -> nn.Module:
        skipped, count = with_skips(model, batch)
        if not count:
            raise BadParts("No layer of the model gives what has the shape of its input, so there is none to skip.")
        return skipped

    return operated(parts, change)
