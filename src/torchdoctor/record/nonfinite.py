"""Where did the NaN come from? One forward pass is repeated on the same batch, looking at every layer.

It runs once in a run, when the loss is first seen to be NaN or infinite and before backward can spread it, so that
naming the source costs nothing while all is well.

May not: change the run: RNG, buffers and gradients are put back.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.record.activations import first_tensor


@dataclass(frozen=True)
class Source:
    """modules: the first one whose output is not finite, "input" or "loss_fn" for what lies outside the model.

    parameters: those that are already not finite; then the update before was the culprit.
    """

    modules: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A forward pass as it was made, so that it can be made again."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    autocast: torch.dtype | None
    device_type: str

    def again(self, model: nn.Module) -> None:
        with torch.autocast(self.device_type, dtype=self.autocast) if self.autocast else nullcontext():
            model(*self.args, **self.kwargs)


def find_source(model: nn.Module, call: Call | None) -> Source:
    """Names the first module in the order of execution whose output is not finite."""
    parameters = tuple(n for n, p in model.named_parameters() if not _finite(p))
    if call is None:
        return Source((), parameters)
    if not all(_finite(t) for t in [*call.args, *call.kwargs.values()] if isinstance(t, Tensor)):
        return Source(("input",), parameters)
    bad: list[str] = []

    def look(name: str, output: Any) -> None:
        out = first_tensor(output)
        if not bad and out is not None and not _finite(out):
            bad.append(name)

    hooks = [
        m.register_forward_hook(lambda _m, _i, o, name=n: look(name, o))
        for n, m in model.named_modules()
        if next(m.children(), None) is None
    ]
    buffers = [(b, b.clone()) for b in model.buffers()]
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=cuda):
            call.again(model)
    finally:
        for hook in hooks:
            hook.remove()
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)
    return Source(tuple(bad) or ("loss_fn",), parameters)


def _finite(x: Tensor) -> bool:
    return not x.is_floating_point() or bool(torch.isfinite(x).all())
