"""Replace hidden activations that saturate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.fixes.fix import fix
from torchdoctor.fixes.settings import must_take
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn

KINDS = {"relu": "ReLU", "leaky-relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "selu": "SELU"}


def code(to: str = "relu") -> str:
    return f"nn.{KINDS.get(to, to)}()   # in the place of each hidden sigmoid or tanh; the output stays as it is"


def patch(recipe: Mapping[str, Any], to: str = "relu") -> dict[str, Any]:
    must_take(recipe, "activation")
    return {"model.activation": to}


@fix(code=code, patch=patch)
def replace_activation(parts: Parts, *, to: str = "relu") -> Parts:
    """Put another activation in the place of every hidden one that goes flat on both sides, be it a module or a
    function call in forward(); the one that makes the output stays.

    to: relu, leaky-relu, elu, gelu, silu or selu. Raises BadParts when the model has no such activation.
    """
    from torchdoctor.fixes.hidden import with_hidden
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    return operated(parts, lambda model: with_hidden(model, batch, _activation(to)))


def _activation(name: str) -> nn.Module:
    from torch import nn

    if name not in KINDS:
        raise BadParts(f"replace-activation knows no {name!r}. {did_you_mean(name, KINDS)}")
    module: nn.Module = getattr(nn, KINDS[name])()
    return module
