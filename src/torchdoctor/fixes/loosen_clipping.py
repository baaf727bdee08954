"""Clip only the gradients that are far longer than usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torchdoctor.experiment import Fit
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(max_norm: float = 10.0) -> str:
    return (
        f"torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={max_norm:g})   "
        "# several times the usual norm, or leave it out"
    )


def patch(recipe: Mapping[str, Any], max_norm: float = 10.0) -> dict[str, Any]:
    return {"train.clip_norm": max_norm, "train.clip_value": None}


def loosened(fit: Fit | None, max_norm: float = 10.0) -> Fit:
    """torchdoctor's own loop with its other options as they were; in the place of a user's loop, which clips by code of
    its own, too."""
    from torchdoctor.train.loop import DEFAULTS
    from torchdoctor.train.loop import fit as own

    options = fit.keywords.get("options", DEFAULTS) if isinstance(fit, partial) and fit.func is own else DEFAULTS
    return partial(own, options=replace(options, clip_norm=max_norm, clip_value=None))


@fix(code=code, patch=patch, loop=loosened)
def loosen_clipping(parts: Parts, *, max_norm: float = 10.0) -> Parts:
    """Shorten gradients to a norm of `max_norm` instead, in torchdoctor's own loop: what a loop clips stands in it."""
    return parts
