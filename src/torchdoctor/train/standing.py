"""Where a training run stands: everything that it must have again to go on as if it had never stopped.

May not: train, read batches, write files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.errors import BadCheckpoint
from torchdoctor.parts import Loader, Parts
from torchdoctor.train.average import Average
from torchdoctor.train.device import device_of
from torchdoctor.train.ranks import ALONE, Ranks
from torchdoctor.train.schedule import Schedules
from torchdoctor.train.score import Tally
from torchdoctor.train.seed import random_state, set_random_state


@dataclass
class Standing:
    """What functions at the end of a step or an epoch are called with; `stop()` ends the training there.

    epoch, step: how many are done. loss: of the last step, a tensor. numbers: of the last epoch. waited: seconds spent
    waiting for batches. seen: outputs and losses of the epoch in progress. best: the best merit so far (higher is
    better; NaN counts as none), after the epoch `best_epoch`.
    """

    parts: Parts
    scaler: torch.amp.GradScaler
    schedules: Schedules
    average: Average | None = None
    ranks: Ranks = ALONE
    epoch: int = 0
    step: int = 0
    loss: Tensor | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    waited: float = 0.0
    best: float = -math.inf
    best_epoch: int = 0
    finished: bool = False
    seen: Tally = field(default_factory=Tally)
    best_weights: dict[str, Tensor] | None = None

    @property
    def model(self) -> nn.Module:
        """The one that is scored and kept: the average of the weights where there is one."""
        return self.parts.model if self.average is None else self.average.model

    def stop(self) -> None:
        """Train no further than this epoch."""
        self.finished = True

    def end_epoch(self, numbers: Mapping[str, float], merit: float, patience: int | None) -> None:
        """Count the epoch, keep the weights if they are the best so far, and stop when patience is at its end."""
        self.epoch += 1
        self.numbers = numbers
        self.seen = Tally()
        if merit > self.best:
            self.best, self.best_epoch = merit, self.epoch
            if patience is not None:
                self.best_weights = {name: t.detach().clone() for name, t in self.model.state_dict().items()}
        elif self.out_of_patience(patience):
            self.finished = True

    def out_of_patience(self, patience: int | None) -> bool:
        return patience is not None and self.epoch - self.best_epoch >= patience

    def put_in_place(self) -> None:
        """The model gets the weights that were best, if they were kept, or else the average of them, if there is
        one."""
        if self.best_weights is not None:
            self.parts.model.load_state_dict(self.best_weights)
        elif self.average is not None:
            self.average.put_in()

    def state_dict(self) -> dict[str, Any]:
        """All but the weights of `model`; tensors and plain values only."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "finished": self.finished,
            "seen": self.seen.state_dict(),
            "best_weights": self.best_weights,
            "optimizer": self.parts.optimizer.state_dict(),
            "scheduler": self.schedules.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "loss": dict(self.parts.loss_fn.state_dict()) if isinstance(self.parts.loss_fn, nn.Module) else {},
            "loader": loader_state(self.parts.train),
            "random": random_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where the state was taken; the weights of the checkpoint are in the model. Raises BadCheckpoint when it
        is of other parts."""
        parts, device = self.parts, device_of(self.parts.model)
        try:
            settings = [set(group) for group in parts.optimizer.param_groups]
            parts.optimizer.load_state_dict(state["optimizer"])
            for had, group in zip(settings, parts.optimizer.param_groups):  # torch would find out at the first step
                if lost := sorted(had - set(group)):
                    raise ValueError(f"it has no {lost[0]}")
            if state["step"]:  # taken before the stop: torch's schedules need not warn that none was
                vars(parts.optimizer)["_opt_called"] = True
            self.schedules.load_state_dict(state["scheduler"])
            self.scaler.load_state_dict(state["scaler"] if self.scaler.is_enabled() else {})
            if (self.average is None) != (state["average"] is None):
                raise ValueError("one averages weights (train.ema, train.swa), and the other does not")
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            if isinstance(parts.loss_fn, nn.Module):
                parts.loss_fn.load_state_dict(state["loss"])
            restore_loader(parts.train, state["loader"])
            self.seen.load_state_dict(state["seen"], device)
            best = state["best_weights"]
            self.best_weights = None if best is None else {name: t.to(device) for name, t in best.items()}
            for name in ("epoch", "step", "best", "best_epoch", "finished"):
                setattr(self, name, state[name])
            set_random_state(state["random"])
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            said = str(error).splitlines()[0]
            raise BadCheckpoint(f"The checkpoint is of another optimizer, schedule or loader: {said}.") from None


@contextmanager
def untouched(loader: Loader) -> Iterator[Loader]:
    """The loader to read, which stands afterwards where it stood before, and so do all random numbers."""
    numbers, state = random_state(), loader_state(loader)
    try:
        yield loader
    finally:
        restore_loader(loader, state)
        set_random_state(numbers)


def loader_state(loader: Loader) -> Any:
    """Where the loader and its random numbers stand; of one that cannot say more, its generator (None: torch's global
    one) and batch size."""
    if hasattr(loader, "state_dict"):
        return loader.state_dict()
    generator = getattr(loader, "generator", None)
    state = generator.get_state() if isinstance(generator, torch.Generator) else None
    return {"generator": state, "batch_size": _batch_size(loader)}


def restore_loader(loader: Loader, state: Any) -> None:
    """Continue from a state. Raises ValueError when it is of another loader."""
    if hasattr(loader, "load_state_dict"):
        loader.load_state_dict(state)
        return
    if (there := state["batch_size"]) != (here := _batch_size(loader)):
        raise ValueError(f"batch_size is {there} there and {here} here")
    if state["generator"] is None:
        return
    generator = getattr(loader, "generator", None)
    if not isinstance(generator, torch.Generator):
        raise ValueError("the loader has no generator of its own to continue with")
    generator.set_state(state["generator"])


def _batch_size(loader: Loader) -> int | None:
    """None where the loader, or a batch sampler of the user's, does not say."""
    size = getattr(loader, "batch_size", None)
    return size if isinstance(size, int) else None
