"""Train in standard units of the target, answer in its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "mean, std = train_targets.mean(0), train_targets.std(0)   # of the TRAINING data\n"
        "loss = loss_fn(model(inputs), (targets - mean) / std)     # the net learns numbers of size one\n"
        "prediction = model(inputs) * std + mean                   # back to the units of the data"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"data.target_scale": "standard"}


@fix(code=code, patch=patch)
def standardize_targets(parts: Parts) -> Parts:
    """Put output * std + mean behind the model and measure the loss in standard units.

    The model still answers in the units of the data, so scores before and after can be compared; the loss cannot.
    Raises BadParts when the targets are not floating-point numbers.
    """
    from torchdoctor.fixes.moments import target_moments
    from torchdoctor.fixes.surgery import device_of
    from torchdoctor.fixes.wrapping import Around, Rescale, StandardizedLoss

    mean, std = (m.to(device_of(parts.model)) for m in target_moments(parts))
    twin = parts.with_model(Around(parts.model, after=Rescale(mean, std)))
    return replace(twin, loss_fn=StandardizedLoss(parts.loss_fn, mean, std))
