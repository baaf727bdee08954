"""Take the mean over the samples of a batch instead of their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadRecipe
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return 'loss_fn = nn.MSELoss(reduction="mean")   # your loss; by hand: loss / len(target)'


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    args = dict(recipe["loss"]["args"])
    if args.get("reduction") not in ("sum", None):
        raise BadRecipe(f"loss.args.reduction is {args['reduction']!r}; the sum is in the loss's own code.")
    return {"loss.args": {**args, "reduction": "mean"}}


@fix(code=code, patch=patch)
def average_loss(parts: Parts) -> Parts:
    """Make the loss a mean: by its own setting where it has one, else by dividing by the number of targets."""
    import copy

    from torchdoctor.fixes.wrapping import AveragedLoss

    if getattr(parts.loss_fn, "reduction", None) != "sum":
        return replace(parts, loss_fn=AveragedLoss(parts.loss_fn))
    loss_fn: Any = copy.deepcopy(parts.loss_fn)
    loss_fn.reduction = "mean"
    return replace(parts, loss_fn=loss_fn)
