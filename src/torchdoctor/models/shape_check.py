"""Does a model keep batch, channels, height and width apart? Sizes that are all different bring it to light.

A reshape that mixes two of them up often runs without complaint on square images and usual batches.
May not: train, change the model (it works on a copy), move the random numbers of others.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from torchdoctor.errors import BadParts, one_line
from torchdoctor.models.hooks import hooked

SAMPLES = (5, 7, 11)  # the first that is no other size of the input becomes the batch
ALIKE = 1e-3  # of the outputs' spread: what a sample may change by when it comes alone (other kernels, other rounding)
Make = Callable[[tuple[int, ...]], nn.Module]


def check_batch(model: nn.Module, inputs: tuple[Any, ...]) -> list[str]:
    """What is wrong with how the model treats the samples of a batch, in eval mode; a sentence each.

    The output must have one row for each sample, and a sample alone must get the answer it gets among others.
    """
    twin = copy.deepcopy(model).eval()
    n = len(inputs[0])
    with torch.no_grad(), torch.random.fork_rng():
        try:
            together = _output(twin, inputs)
            alone = [_output(twin, _rows(inputs, i, i + 1)) for i in range(n)]
        except (RuntimeError, ValueError, IndexError) as error:
            return [f"The model fails on a batch of {n}, or on a sample alone: {one_line(error)}."]
    if len(together) != n or any(len(one) != 1 for one in alone):
        return [f"{n} samples give {len(together)} rows of output {tuple(together.shape)}: the batch is mixed up."]
    change = float((together - torch.cat(alone)).abs().max()) / (float(together.std()) or 1.0)
    if change > ALIKE:
        return [f"A sample alone gets another answer than among {n} (by {change:.2g} of the outputs' spread)."]
    return []


def check_sides(make: Make, input_shape: tuple[int, ...]) -> list[str]:
    """What is wrong with a model for images that are twice as high as wide, or as wide as high; a sentence each.

    make(input_shape) -> model; input_shape: (C, H, W). Maps inside must be high where the images are high.
    """
    channels, height, width = input_shape
    side = max(height, width)
    wrong: list[str] = []
    for shape in ((channels, 2 * side, side), (channels, side, 2 * side)):
        n = next(n for n in SAMPLES if n not in shape)
        with torch.random.fork_rng():
            try:
                model = make(shape).eval()
                lying = _turned(model, torch.randn(n, *shape), tall=shape[1] > shape[2])
            except (BadParts, RuntimeError, ValueError, IndexError) as error:
                wrong.append(f"The model fails on images of {shape[1]} x {shape[2]}: {one_line(error)}.")
                continue
        for name, sides in lying.items():
            was = f"images of {shape[1]} x {shape[2]} reach it as {sides[0]} x {sides[1]}"
            wrong.append(f"Layer {name!r} sees height and width exchanged: {was}.")
        if not lying:
            wrong += check_batch(model, (torch.randn(n, *shape, generator=torch.Generator().manual_seed(0)),))
    return wrong


def unequal(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """As many of the samples as no other size of the inputs has, so that two mixed up cannot go unseen."""
    sizes = {size for x in inputs if isinstance(x, Tensor) for size in x.shape[1:]}
    n = next((n for n in SAMPLES if n not in sizes), SAMPLES[0])
    return _rows(inputs, 0, n)


def _turned(model: nn.Module, images: Tensor, tall: bool) -> dict[str, tuple[int, int]]:
    """{name: (height, width)} of the first module whose input map lies where the images stand, or stands where they
    lie."""
    found: dict[str, tuple[int, int]] = {}

    def look(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, given: tuple[Any, ...]) -> None:
            x = next((t for t in given if isinstance(t, Tensor)), None)
            if x is not None and x.ndim == 4 and not found:
                high, wide = x.shape[2:]
                if (high < wide) if tall else (high > wide):
                    found[name] = (high, wide)

        return hook

    handles = [m.register_forward_pre_hook(look(n)) for n, m in model.named_modules() if n]
    with hooked(handles), torch.no_grad():
        model(images)
    return found


def _output(model: nn.Module, inputs: tuple[Any, ...]) -> Tensor:
    found = next((t for t in tree_leaves(model(*inputs)) if isinstance(t, Tensor)), None)
    if found is None:
        raise BadParts("The model returns no tensor.")
    return found


def _rows(inputs: tuple[Any, ...], begin: int, end: int) -> tuple[Any, ...]:
    return tuple(x[begin:end] if isinstance(x, Tensor) and x.ndim else x for x in inputs)
