"""Parts: what an experiment builds and a loop trains. Surgery returns new Parts; nothing is changed in place.

May not: train, judge, read files.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

RATES = ("lr", "initial_lr", "max_lr", "min_lr")  # what torch's schedules keep in a group beside the rate itself
Loader = Iterable[Any]  # gives (inputs, target) or (input_1, ..., input_n, target) each time it is iterated


@dataclass(frozen=True)
class Parts:
    """model(*inputs) -> output; loss_fn(output, target) -> scalar; train and val: loaders that can be iterated again
    and again. scheduler: stepped once per epoch, or None."""

    model: nn.Module
    loss_fn: Callable[[Any, Any], Tensor]
    optimizer: Optimizer
    train: Loader
    val: Loader | None = None
    scheduler: Any = None

    def with_model(self, model: nn.Module) -> Parts:
        """The same with another model, an optimizer of the same kind and settings over its parameters, and the same
        schedule. Parameters that the optimizer was not given stay out of it; new ones come in."""
        optimizer = rebuilt(self.optimizer, model, before=self.model.parameters())
        return replace(self, model=model, optimizer=optimizer, scheduler=rescheduled(self.scheduler, optimizer))

    def with_optimizer(self, **settings: Any) -> Parts:
        """The same with other optimizer settings, for example lr=0.01, in every group; state starts anew."""
        optimizer = rebuilt(self.optimizer, self.model, settings, before=self.model.parameters())
        return replace(self, optimizer=optimizer, scheduler=rescheduled(self.scheduler, optimizer))

    def with_rate(self, factor: float) -> Parts:
        """The same with every learning rate, and every rate of the schedule, times `factor`."""
        twin = self.with_optimizer()
        for group in twin.optimizer.param_groups:
            group.update({name: group[name] * factor for name in RATES if name in group})
        return replace(twin, scheduler=rescheduled(self.scheduler, twin.optimizer, factor))


def rebuilt(
    optimizer: Optimizer,
    model: nn.Module,
    settings: Mapping[str, Any] | None = None,
    before: Iterable[Tensor] = (),
) -> Optimizer:
    """A new optimizer of the same class and settings over the trainable parameters of `model`.

    Parameters keep their group; new ones go to the first. before: those of the model that the optimizer was made for;
    what the optimizer did not hold of them stays out, so that one change does not quietly make another.
    """
    old = {id(p) for p in before}
    new = {id(p): p for p in model.parameters() if p.requires_grad}
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    groups = [
        # What lies in neither model is a parameter of the loss, or of another network.
        {**group, **(settings or {}), "params": [p for p in group["params"] if id(p) in new or id(p) not in old]}
        for group in optimizer.param_groups
    ]
    groups[0]["params"] += [p for i, p in new.items() if i not in held and i not in old]
    known = inspect.signature(type(optimizer)).parameters
    arguments = {k: v for k, v in {**optimizer.param_groups[0], **(settings or {})}.items() if k in known}
    return type(optimizer)([g for g in groups if g["params"]], **{k: v for k, v in arguments.items() if k != "params"})


def rescheduled(scheduler: Any, optimizer: Optimizer, scale: float = 1.0) -> Any:
    """The same schedule over another optimizer, with its rates times `scale`; None when there is none."""
    if scheduler is None:
        return None
    from torch.optim.lr_scheduler import LambdaLR

    rates = [group["lr"] for group in optimizer.param_groups]
    LambdaLR(optimizer, lambda _: 1.0)  # torch's schedules warn of an optimizer that no schedule was built on
    for group, rate in zip(optimizer.param_groups, rates):
        group["lr"] = rate
    return _attached(scheduler, optimizer, scale)


def _attached(scheduler: Any, optimizer: Optimizer, scale: float) -> Any:
    twin = copy.copy(scheduler)
    if hasattr(twin, "optimizer"):
        twin.optimizer = optimizer
    for name in ("base_lrs", "max_lrs"):
        if hasattr(twin, name):
            setattr(twin, name, [rate * scale for rate in getattr(twin, name)])
    if hasattr(twin, "_schedulers"):  # SequentialLR, ChainedScheduler
        twin._schedulers = [_attached(inner, optimizer, scale) for inner in twin._schedulers]
    return twin
