"""A number in the place of missing ones, inside the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "mean = torch.nanmean(train_inputs, 0)                            # of the TRAINING data, column by column\n"
        "inputs = torch.where(torch.isfinite(inputs), inputs, mean)       # training, validation and test alike"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A table's own step fills its gaps; of other data the recipe says nothing."""
    features = recipe["data"]["features"]
    if not features or any("fill" in step for step in features):
        raise BadRecipe("data.features has no list of steps that lacks `fill`; fill the gaps in the data's own code.")
    return {"data.features": [{"fill": {}}, *features]}


@fix(code=code, patch=patch)
def fill_missing(parts: Parts) -> Parts:
    """Put the training data's mean of the column or channel in the place of NaN and infinity, in front of the model.

    The means are buffers, saved with the weights. Raises BadParts when no input is of a floating-point type, and when
    the training data have no gap.
    """
    from torchdoctor.fixes.moments import input_moments
    from torchdoctor.fixes.surgery import device_of
    from torchdoctor.fixes.wrapping import Around, Fill

    if not _has_gaps(parts):
        raise BadParts("No training input is NaN or infinite, so there is nothing to fill.")
    device = device_of(parts.model)
    return parts.with_model(Around(parts.model, before=[Fill(m.mean).to(device) for m in input_moments(parts)]))


def _has_gaps(parts: Parts) -> bool:
    import torch

    from torchdoctor.probes.bench import batches_of
    from torchdoctor.probes.fork import preserved, reading

    with preserved(parts):
        inputs = (x for b in batches_of(reading(parts.train), "train") for x in b.inputs)
        return any(isinstance(x, torch.Tensor) and not bool(torch.isfinite(x).all()) for x in inputs)
