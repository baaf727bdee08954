"""Half precision with the range of single precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torchdoctor.experiment import Fit
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "with torch.autocast(device.type, dtype=torch.bfloat16):   # and no GradScaler\n"
        "    loss = loss_fn(model(inputs), target)"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"train.precision": "bf16"}


def widened(fit: Fit | None) -> Fit:
    """torchdoctor's own loop in bfloat16, with its other options as they were; also in the place of a user's loop."""
    from torchdoctor.train.loop import DEFAULTS
    from torchdoctor.train.loop import fit as own

    options = fit.keywords.get("options", DEFAULTS) if isinstance(fit, partial) and fit.func is own else DEFAULTS
    return partial(own, options=replace(options, precision="bf16"))


@fix(code=code, patch=patch, loop=widened)
def use_bfloat16(parts: Parts) -> Parts:
    """Run the forward pass in bfloat16: as short as float16, with the range of float32, and nothing to scale."""
    return parts
