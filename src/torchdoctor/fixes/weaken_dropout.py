"""Less dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchdoctor.fixes.fix import fix
from torchdoctor.fixes.settings import must_take
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn


def code(p: float = 0.25) -> str:
    return f"nn.Dropout({p:g})   # in the place of each that drops more"


def patch(recipe: Mapping[str, Any], p: float = 0.25) -> dict[str, Any]:
    must_take(recipe, "dropout")
    return {"model.dropout": min(p, recipe["model"]["dropout"] or 0.0)}


@fix(code=code, patch=patch)
def weaken_dropout(parts: Parts, *, p: float = 0.25) -> Parts:
    """Let every dropout layer, and every recurrent or attention layer with dropout inside, drop a share `p` at most."""
    from torchdoctor.fixes.surgery import operated

    return operated(parts, lambda model: _weakened(model, p))


def _weakened(model: nn.Module, p: float) -> nn.Module:
    from torchdoctor.probes.dropouts import dropouts

    for module, name, share in dropouts(model):
        setattr(module, name, min(share, p))
    return model
