"""The loss of the answers alone, without what is added for the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torchdoctor.errors import BadRecipe
from torchdoctor.experiment import Fit
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "loss = loss_fn(output, target)   # without the sum over the weights, or with a factor 10,000 times smaller"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    if not recipe["loss"]["l1"] and not recipe["loss"]["l2"]:
        raise BadRecipe("loss.l1 and loss.l2 are 0; what penalises the weights is in the loss's own code.")
    return {"loss.l1": 0.0, "loss.l2": 0.0}


def unpenalised(fit: Fit | None) -> Fit | None:
    """torchdoctor's own loop adds a penalty when it is told to; of a user's loop nobody knows, and it stays."""
    options: Any = fit.keywords.get("options") if isinstance(fit, partial) else None
    if not isinstance(fit, partial) or not hasattr(options, "l1"):
        return fit
    return partial(fit.func, *fit.args, **{**fit.keywords, "options": replace(options, l1=0.0, l2=0.0)})


@fix(code=code, patch=patch, loop=unpenalised)
def drop_penalty(parts: Parts) -> Parts:
    """Let the loss pull at the weights through the outputs only. Its value stays; what it adds for the weights has no
    gradient any more, however it is written."""
    from torchdoctor.fixes.wrapping import OutputLoss

    return replace(parts, loss_fn=OutputLoss(parts.loss_fn))
