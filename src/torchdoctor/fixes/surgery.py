"""Changes inside a model: on a copy, with the optimizer and the schedule made anew over what is left and what is new.

May not: train, judge, print, decide by the name of a class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.parts import Parts, rebuilt, rescheduled
from torchdoctor.probes.bench import Batch, batches_of
from torchdoctor.probes.fork import forked, preserved, reading


@dataclass(frozen=True)
class Executed:
    """A module without children, as one forward pass used it.

    calls: how often. output: what it gave the last time. span: what the clock said when that call began and ended.
    """

    name: str
    module: nn.Module
    calls: int
    output: Tensor
    span: tuple[int, int]


def operated(parts: Parts, change: Callable[[nn.Module], nn.Module]) -> Parts:
    """The parts after `change(model) -> model` on a copy; the parts handed in stay as they were."""
    twin = forked(parts)
    before = list(twin.model.parameters())
    model = change(twin.model)
    optimizer = rebuilt(twin.optimizer, model, before=before)
    return replace(twin, model=model, optimizer=optimizer, scheduler=rescheduled(twin.scheduler, optimizer))


def first_batch(parts: Parts) -> Batch:
    """The first training batch, on the model's device; the loader and all random numbers stay where they were."""
    with preserved(parts):
        return next(batches_of(reading(parts.train), "train")).to(device_of(parts.model))


def device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters are; the processor when it has none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def executed(model: nn.Module, batch: Batch, clock: Callable[[], int] = int) -> tuple[Any, list[Executed]]:
    """The output of one trial pass, and the leaf modules that ran, in the order of their last call."""
    found: dict[str, Executed] = {}
    began: dict[str, int] = {}

    def begin(name: str) -> Callable[..., None]:
        return lambda *_: began.update({name: clock()})

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, _: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                before = found.pop(name, None)  # popped, so that the order is that of the last calls
                found[name] = Executed(name, module, before.calls + 1 if before else 1, output, (began[name], clock()))

        return hook

    leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    handles = [m.register_forward_pre_hook(begin(n)) for n, m in leaves]
    handles += [m.register_forward_hook(keep(n)) for n, m in leaves]
    with hooked(handles):
        output = trial(model, batch)
    return output, list(found.values())


def trial(model: nn.Module, batch: Batch) -> Any:
    """The model's output for the batch in eval mode, without gradients; its modes are restored."""
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            return model(*batch.inputs)
    finally:
        for module, mode in modes:
            module.training = mode


def is_layer(module: nn.Module) -> bool:
    """Whether the module multiplies by a weight of two or more dimensions; a table of embeddings has no bias."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim >= 2 and hasattr(module, "bias")
