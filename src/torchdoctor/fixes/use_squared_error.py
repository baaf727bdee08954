"""Train on squared errors, for targets that are amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "loss_fn = nn.MSELoss()   # and no activation after the last layer"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"loss.name": "mse", "loss.args": {}, "model.output": "none"}


@fix(code=code, patch=patch)
def use_squared_error(parts: Parts) -> Parts:
    """Replace the loss by the mean squared error and take away the last activation if there is one."""
    from torch import nn

    from torchdoctor.fixes.output import observed, with_output
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    if observed(parts.model, batch).last_activation is not None:
        parts = operated(parts, lambda model: with_output(model, batch))
    return replace(parts, loss_fn=nn.MSELoss())
