"""Bring the inputs to zero mean and unit scale, inside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

Numbers = float | Sequence[float]


def code(mean: Numbers | None = None, std: Numbers | None = None) -> str:
    if mean is not None and std is not None:
        return f"inputs = (inputs - torch.tensor({mean})) / torch.tensor({std})   # training, validation and test alike"
    return (
        "mean, std = train_inputs.mean(0), train_inputs.std(0)   # of the TRAINING data; for images: of each channel\n"
        "inputs = (inputs - mean) / std                          # training, validation and test alike"
    )


def patch(recipe: Mapping[str, Any], mean: Numbers | None = None, std: Numbers | None = None) -> dict[str, Any]:
    return {"data.scale": "standard" if mean is None or std is None else [mean, std]}


@fix(code=code, patch=patch)
def standardize_inputs(parts: Parts, *, mean: Numbers | None = None, std: Numbers | None = None) -> Parts:
    """Put (x - mean) / std in front of the model, with the statistics of the training data.

    The statistics are buffers, saved with the weights, so that validation, test and serving are scaled alike.
    mean, std: one number, or one for each column of a table or channel of an image; default: measured.
    Raises BadParts when no input is of a floating-point type.
    """
    from torchdoctor.fixes.moments import given, input_moments
    from torchdoctor.fixes.surgery import device_of
    from torchdoctor.fixes.wrapping import Standardize, in_front

    measured = input_moments(parts)
    if mean is not None and std is not None:
        measured = [given(mean, std, like=m) for m in measured]
    device = device_of(parts.model)
    return parts.with_model(in_front(parts.model, [Standardize(*m).to(device) for m in measured]))
