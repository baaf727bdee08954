"""FSDP2: each process holds a part of every weight, its gradient and its optimizer's state, for models that do not fit.

Hooks of a watch would measure parts, and each measurement would have to be made in all processes at once; so a Journal
records what the loop itself knows, and the other signals are reported as off.
May not: train, judge (the Journal asks judge()).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from torchdoctor.discover import discover
from torchdoctor.errors import BadCheckpoint, BadParts, one_line
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.parts import Parts, rebuilt, rescheduled
from torchdoctor.record.facts import describe
from torchdoctor.record.run import Run, Writer
from torchdoctor.record.signal import Signal
from torchdoctor.train.device import device_of
from torchdoctor.train.standing import Standing

SHARDED = "sharded"  # what says in a checkpoint's state that it was gathered
WHY_OFF = "the weights are spread over processes (train.shard), and each holds a part"
ALONE = (
    "train.shard spreads the weights over processes, and there is one. Start several: torchrun --nproc-per-node 2 ..."
)


def sharded(parts: Parts, world: int, **unsupported: Any) -> Parts:
    """The parts with their weights spread over `world` processes, layer by layer; the optimizer and the schedule are
    made anew over them. unsupported: options that do not work so. Raises BadParts when one is given."""
    if world < 2:
        raise BadParts(ALONE)
    if given := [name for name, value in unsupported.items() if value]:
        raise BadParts(
            f"train.shard does not go with {given[0]}: each process holds a part of the weights. Leave it out."
        )
    # Here, because they take a second to import, and few runs need them.
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    before = list(parts.model.parameters())
    mesh = init_device_mesh(device_of(parts.model).type, (world,))
    for layer in _layers(parts.model):
        fully_shard(layer, mesh=mesh)
    fully_shard(parts.model, mesh=mesh)
    optimizer = rebuilt(parts.optimizer, parts.model, before=before)
    return replace(parts, optimizer=optimizer, scheduler=rescheduled(parts.scheduler, optimizer))


def whole(model: nn.Module) -> dict[str, Tensor]:
    """All weights, gathered to the first process and its memory; {} in the others. To be called in all of them."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    found = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return {name: t for name, t in found.items() if isinstance(t, Tensor)}


def kept(at: Standing) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(weights, all else that going on takes), gathered to the first process. To be called in all of them."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict

    whole_there = StateDictOptions(full_state_dict=True, cpu_offload=True)
    optimizer = get_optimizer_state_dict(at.model, at.parts.optimizer, options=whole_there)
    best = None if at.best_weights is None else {name: _gathered(t).cpu() for name, t in at.best_weights.items()}
    return whole(at.model), {**at.state_dict(), "optimizer": optimizer, "best_weights": best, SHARDED: True}


def spread(weights: Mapping[str, Tensor], state: Mapping[str, Any], at: Standing) -> dict[str, Any]:
    """The reverse of `kept`: puts the weights in place and gives the state as this process holds it. To be called in
    all of them. Raises BadCheckpoint when it is of other parts."""
    from torch.distributed.checkpoint.state_dict import (
        StateDictOptions,
        set_model_state_dict,
        set_optimizer_state_dict,
    )

    model, optimizer, whole_here = at.parts.model, at.parts.optimizer, StateDictOptions(full_state_dict=True)
    own = model.state_dict()
    for name in {**own, **weights}:  # torch would leave what is not in the file as it was drawn
        here, there = (tuple(d[name].shape) if name in d else None for d in (own, weights))
        if here != there:
            raise BadCheckpoint(f"The checkpoint is of another model: {name} is {there} there and {here} here.")
    try:
        set_model_state_dict(model, dict(weights), options=whole_here)
        if any(state["optimizer"]["state"].values()):  # plain SGD has none, which torch does not expect
            set_optimizer_state_dict(model, optimizer, state["optimizer"], options=whole_here)
        mine, best = optimizer.state_dict(), state["best_weights"]
        for group, saved in zip(mine["param_groups"], state["optimizer"]["param_groups"], strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
        shares = None if best is None else {name: _share(t, own[name]) for name, t in best.items()}
    except (KeyError, ValueError, RuntimeError, TypeError, AssertionError) as error:
        raise BadCheckpoint(f"The checkpoint is of another optimizer: {one_line(error)}.") from None
    return {**state, "optimizer": mine, "best_weights": shares}


def _gathered(t: Tensor) -> Tensor:
    from torch.distributed.tensor import DTensor

    return t.full_tensor() if isinstance(t, DTensor) else t


def _share(t: Tensor, like: Tensor) -> Tensor:
    """This process's part of a whole tensor."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    return distribute_tensor(t, like.device_mesh, like.placements) if isinstance(like, DTensor) else t


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    """Those below the model that have weights; of lists, which are never called, what is in them."""
    for child in model.children():
        if isinstance(child, (nn.ModuleList, nn.ModuleDict)):
            yield from _layers(child)
        elif any(True for _ in child.parameters()):
            yield child


class Journal:
    """Stands in for a watch: the loss of each step and the numbers of each epoch, in a run folder."""

    def __init__(self, parts: Parts, path: Path, recipe: str | None) -> None:
        self.path, self._writer, self._losses, self._step = path, Writer(path, recipe), list[Tensor](), 0
        for name, value in describe(parts.model, parts.optimizer, parts.loss_fn).items():
            self._writer.fact(name, value)
        off = {s.name: WHY_OFF for s in discover("signals", Signal).values() if s.measure is not None}
        self._writer.fact("signals_off", {name: why for name, why in off.items() if name != "loss"})
        self._writer.fact("loss_from", "log")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.fact("steps", self._step)
        self._writer.close()

    def step(self, at: Standing) -> None:
        """A step has ended."""
        if at.loss is not None:
            self._losses.append(at.loss)

    def log(self, **numbers: float) -> None:
        """An epoch has ended."""
        self._flush()
        for name, value in numbers.items():
            self._writer.append(name, ("",), np.array([max(0, self._step - 1)]), np.array([[value]]))
        self._writer.commit()

    def report(self) -> Report:
        """The rules over what was recorded."""
        return judge(Run(self.path).trace(), title=self.path.name)

    def _flush(self) -> None:
        if self._losses:
            losses = torch.stack(self._losses).double().cpu().numpy()
            self._writer.append("loss", ("",), np.arange(self._step, self._step + len(losses)), losses[:, None])
            self._writer.commit()
            self._step, self._losses = self._step + len(losses), []
