"""Convolutions of a model in place of others.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.surgery import operated
from torchdoctor.models.layers import put
from torchdoctor.parts import Parts


def with_convolutions(parts: Parts, taken_apart: Callable[[nn.Conv2d], nn.Module | None], what: str) -> Parts:
    """The parts with `taken_apart(convolution)` in the place of each that it does not answer with None.

    New weights are drawn, but random numbers are afterwards where they were. Raises BadParts, saying `what` the model
    lacks, when nothing is replaced.
    """

    def change(model: nn.Module) -> nn.Module:
        with torch.random.fork_rng():
            made = [(n, taken_apart(m)) for n, m in model.named_modules() if isinstance(m, nn.Conv2d)]
        if not any(new for _, new in made):
            raise BadParts(f"The model has no {what}, so there is nothing to take apart.")
        for name, new in made:
            if new is not None:
                model = put(model, name, new)
        return model

    return operated(parts, change)
