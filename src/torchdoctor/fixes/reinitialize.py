"""Draw the initial weights anew, at a scale that suits the layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn

SCHEMES = {"default": "", "he": "kaiming_normal_", "xavier": "xavier_uniform_"}


def code(scheme: str = "default") -> str:
    if scheme not in SCHEMES or not SCHEMES[scheme]:
        return (
            "for module in model.modules():\n"
            "    if hasattr(module, 'reset_parameters'):\n"
            "        module.reset_parameters()"
        )
    suits = "relu" if scheme == "he" else "tanh and sigmoid"
    return (
        "for module in model.modules():\n"
        "    if isinstance(module, (nn.Linear, nn.Conv2d)):\n"
        f"        nn.init.{SCHEMES[scheme]}(module.weight)   # suits {suits}\n"
        "        nn.init.zeros_(module.bias)"
    )


def patch(recipe: Mapping[str, Any], scheme: str = "default") -> dict[str, Any]:
    return {"model.init": scheme}


@fix(code=code, patch=patch)
def reinitialize(parts: Parts, *, scheme: str = "default") -> Parts:
    """Draw all weights anew: each module by its own reset_parameters(), then the layers by the scheme.

    scheme: default (torch's own), he (for ReLU) or xavier (for tanh and sigmoid); the last two set biases to zero.
    Raises BadParts when no module of the model knows how to draw its weights.
    """
    if scheme not in SCHEMES:
        raise BadParts(f"reinitialize knows no scheme {scheme!r}. {did_you_mean(scheme, SCHEMES)}")
    from torchdoctor.fixes.surgery import operated

    return operated(parts, lambda model: _drawn(model, scheme))


def _drawn(model: nn.Module, scheme: str) -> nn.Module:
    from torchdoctor.models.init import initialize

    resets = [m.reset_parameters for m in model.modules() if callable(getattr(m, "reset_parameters", None))]
    if not resets:
        raise BadParts("No module of the model has reset_parameters(), so its weights cannot be drawn anew. Add one.")
    for reset in reversed(resets):  # children first: a container that draws for all it holds has the last word
        reset()  # type: ignore[operator]
    initialize(model, scheme)
    return model
