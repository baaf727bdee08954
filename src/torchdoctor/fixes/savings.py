"""What another structure would save: each structural fix is applied to a copy, and the copy measured beside the model.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import nn

from torchdoctor.errors import BadParts, BadRecipe, BadUnit
from torchdoctor.fixes.fix import Fix, resolve
from torchdoctor.fixes.surgery import first_batch
from torchdoctor.judge.finding import Remedy
from torchdoctor.models.flops import flops_of
from torchdoctor.models.timing import PATIENCE, REPEATS, device_of, median_seconds
from torchdoctor.parts import Parts

WAYS: dict[str, Remedy] = {
    "3 x 3 kernels one after the other for larger ones": Remedy("replace-large-kernels"),
    "1 x k and k x 1 for kernels of k x k": Remedy("replace-large-kernels", {"by": "asymmetric"}),
    "1 x 1 convolutions that narrow around wide kernels": Remedy("use-bottleneck"),
    "depthwise separable convolutions": Remedy("use-depthwise"),
    "global average pooling for the dense layers": Remedy("use-global-pooling"),
}


@dataclass(frozen=True)
class Saving:
    """Before and after: numbers of the model, FLOPs and seconds of one forward pass of the batch in eval mode.

    patch: the same change for a recipe; None where no recipe can express it.
    """

    what: str
    remedy: Remedy
    parameters: tuple[int, int]
    flops: tuple[int, int]
    seconds: tuple[float, float]
    code: str
    patch: Mapping[str, Any] | None


def savings(
    parts: Parts, recipe: Mapping[str, Any] | None = None, *, repeats: int = REPEATS
) -> tuple[list[Saving], dict[str, str]]:
    """(what would be saved, the most weights first; why the other ways do not apply). recipe: where the parts came
    from, for patches."""
    inputs = first_batch(parts).inputs
    found: list[Saving] = []
    not_here: dict[str, str] = {}
    for what, remedy in WAYS.items():
        fix = resolve(remedy)
        try:
            changed = fix.apply(parts, **remedy.options).model
        except BadParts as reason:
            not_here[what] = str(reason)
            continue
        seconds = _seconds(parts.model, changed, inputs, repeats)
        flops = (_flops(parts.model, inputs), _flops(changed, inputs))
        counts = (_count(parts.model), _count(changed))
        code = fix.code(**remedy.options)
        found.append(Saving(what, remedy, counts, flops, seconds, code, _patch(fix, remedy, recipe)))
    return sorted(found, key=lambda s: s.parameters[1]), not_here


def _patch(fix: Fix, remedy: Remedy, recipe: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if fix.patch is None or recipe is None:
        return None
    try:
        return fix.patch(recipe, **remedy.options)
    except (BadRecipe, BadUnit):
        return None


def _seconds(before: nn.Module, after: nn.Module, inputs: tuple[Any, ...], repeats: int) -> tuple[float, float]:
    """Medians of passes that take turns, so that whatever else the machine does falls on both."""
    device = device_of(before)
    models = (before, after)
    modes = [(m, m.training) for model in models for m in model.modules()]
    times: list[tuple[float, float]] = []
    try:
        with torch.no_grad():
            for model in models:
                model.eval()
            while len(times) < repeats and (not times or sum(map(sum, times)) < PATIENCE):
                one, other = (median_seconds(lambda m=m: m(*inputs), device, 1) for m in models)  # type: ignore[misc]
                times.append((one, other))
    finally:
        for module, mode in modes:
            module.training = mode
    return median(t[0] for t in times), median(t[1] for t in times)


def _flops(model: nn.Module, inputs: tuple[Any, ...]) -> int:
    modes = [(m, m.training) for m in model.modules()]
    try:
        return sum(flops_of(model, inputs).values())
    finally:
        for module, mode in modes:
            module.training = mode


def _count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
