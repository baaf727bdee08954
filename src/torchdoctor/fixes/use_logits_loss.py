"""Train on raw scores, with the loss that fits the targets."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

if TYPE_CHECKING:
    from torch import nn

    from torchdoctor.probes.bench import Kind


# What a recipe says of the targets, by the old loss or else by the output.
LOSSES = {"nll": "cross-entropy", "bce": "bce-logits", "softmax": "cross-entropy", "sigmoid": "bce-logits"}


def code() -> str:
    return (
        "return self.head(x)                 # raw scores: no softmax or sigmoid in forward()\n"
        "loss_fn = nn.CrossEntropyLoss()     # classes as integers (N,); for 0/1 targets: nn.BCEWithLogitsLoss()"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    old = recipe["loss"]["name"]
    new = LOSSES.get(old) or LOSSES.get(recipe["model"]["output"])
    if new is None:
        raise BadRecipe(f"loss.name {old!r} does not say what the targets are. Write cross-entropy or bce-logits.")
    return {"model.output": "none", "loss.name": new}


@fix(code=code, patch=patch)
def use_logits_loss(parts: Parts) -> Parts:
    """Replace the loss by cross-entropy (classes) or binary cross-entropy (0/1 targets) of raw scores, and take away
    the last activation if there is one.

    What the old loss was told and the new one knows (weight, ignore_index, reduction ...) is handed on.
    Raises BadParts for targets that are neither classes nor 0/1.
    """
    from torchdoctor.fixes.output import observed, with_output
    from torchdoctor.fixes.surgery import first_batch, operated
    from torchdoctor.probes.bench import target_kind

    batch = first_batch(parts)
    seen = observed(parts.model, batch)
    loss_fn = _loss(parts.loss_fn, target_kind([batch.target], seen.output))
    if seen.last_activation is not None:
        parts = operated(parts, lambda model: with_output(model, batch))
    return replace(parts, loss_fn=loss_fn)


def _loss(old: Any, kind: Kind) -> nn.Module:
    from torch import nn

    from torchdoctor.fixes.wrapping import BinaryLoss, ClassLoss

    if kind == "classes":
        return ClassLoss(_made_like(nn.CrossEntropyLoss, old))
    if kind in ("binary", "multilabel"):
        return BinaryLoss(_made_like(nn.BCEWithLogitsLoss, old))
    raise BadParts(f"The targets are {kind}, not classes or 0/1, so there is no loss of raw scores for them.")


def _made_like(new: type[nn.Module], old: Any) -> nn.Module:
    known = [name for name in inspect.signature(new).parameters if name not in ("size_average", "reduce")]
    return new(**{name: getattr(old, name) for name in known if hasattr(old, name)})
