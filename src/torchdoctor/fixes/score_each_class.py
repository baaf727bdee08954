"""One raw score for each class, and the loss that compares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

BATCHES = 1000  # of training, read to see how many classes there are


def code() -> str:
    return (
        "self.head = nn.Linear(features, classes)   # and no softmax or sigmoid behind it\n"
        "loss_fn = nn.CrossEntropyLoss()            # of class numbers 0 .. classes - 1, as integers (N,)"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    if recipe["loss"]["name"] == "cross-entropy":
        raise BadRecipe("The loss is cross-entropy already; how wide the output is, the recipe takes from the data.")
    return {"model.output": "none", "loss.name": "cross-entropy", "loss.args": {}}


@fix(code=code, patch=patch)
def score_each_class(parts: Parts) -> Parts:
    """Draw the last layer anew with a unit for every class number up to the highest one, take away the last activation
    and train by cross-entropy.

    Raises BadParts where targets are no class numbers, or where nothing of this would be a change.
    """
    from torch import nn

    from torchdoctor.fixes.head import with_width
    from torchdoctor.fixes.output import observed, with_output
    from torchdoctor.fixes.surgery import first_batch, operated, trial
    from torchdoctor.fixes.wrapping import ClassLoss

    batch, classes = first_batch(parts), _classes(parts)
    wide = trial(parts.model, batch).shape[-1] >= classes
    activated = observed(parts.model, batch).last_activation is not None
    if wide and isinstance(parts.loss_fn, nn.CrossEntropyLoss) and not activated:
        raise BadParts(f"The model scores {classes} classes for a cross-entropy already.")
    if activated:
        parts = operated(parts, lambda model: with_output(model, batch))
    if not wide:
        parts = operated(parts, lambda model: with_width(model, batch, classes))
    return replace(parts, loss_fn=ClassLoss(nn.CrossEntropyLoss()))


def _classes(parts: Parts) -> int:
    import torch

    from torchdoctor.probes.bench import batches_of
    from torchdoctor.probes.fork import preserved, reading

    with preserved(parts):
        targets = [b.target for b in islice(batches_of(reading(parts.train), "train"), BATCHES)]
    labels = torch.cat([t.reshape(-1).double() for t in targets])
    if targets[0].numel() != len(targets[0]) or bool((labels != labels.round()).any()) or float(labels.min()) < 0:
        raise BadParts("The targets are not one class number (0, 1, 2 ...) a sample.")
    return int(labels.max()) + 1
