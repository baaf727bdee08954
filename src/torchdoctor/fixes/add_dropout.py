"""Drop part of what the last layer reads, against overfitting."""

from __future__ import annotations

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(p: float = 0.3) -> str:
    return f"x = nn.functional.dropout(x, p={p:g}, training=self.training)   # before the last layer"


@fix(code=code, full_length=True)
def add_dropout(parts: Parts, *, p: float = 0.3) -> Parts:
    """In training, set a share `p` of the last layer's inputs to zero. Raises BadParts when no layer is found."""
    from torch import nn

    from torchdoctor.fixes.surgery import executed, first_batch, is_layer, operated
    from torchdoctor.models.layers import put

    batch = first_batch(parts)

    def change(model: nn.Module) -> nn.Module:
        found = [e for e in executed(model, batch)[1] if is_layer(e.module)]
        if len(found) < 2:
            raise BadParts("The model has no hidden layer, so there is nothing to drop.")
        return put(model, found[-1].name, nn.Sequential(nn.Dropout(p), found[-1].module))

    return operated(parts, change)
