"""Where a training run stands, and keeping it: everything that a run must have again to go on as if never stopped.

May not: train, read batches.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from torchdoctor.errors import BadCheckpoint
from torchdoctor.parts import Loader, Parts
from torchdoctor.train import checkpoint
from torchdoctor.train.device import device_of
from torchdoctor.train.score import Tally
from torchdoctor.train.seed import random_state, set_random_state


@dataclass
class Standing:
    """epoch, step: how many are done. seen: outputs and losses of the epoch in progress. best: the best score so far
    (NaN counts as none), after the epoch `best_epoch`."""

    parts: Parts
    scaler: torch.amp.GradScaler
    epoch: int = 0
    step: int = 0
    best: float = -math.inf
    best_epoch: int = 0
    finished: bool = False
    seen: Tally = field(default_factory=Tally)
    best_weights: dict[str, Tensor] | None = None

    def end_epoch(self, score: float, patience: int | None) -> None:
        """Count the epoch, keep the weights if they are the best so far, and stop when patience is at its end."""
        self.epoch += 1
        self.seen = Tally()
        if score > self.best:
            self.best, self.best_epoch = score, self.epoch
            if patience is not None:
                self.best_weights = {name: t.detach().clone() for name, t in self.parts.model.state_dict().items()}
        elif patience is not None and self.epoch - self.best_epoch >= patience:
            self.finished = True

    def bring_back_best(self) -> None:
        """Put the best weights back into the model."""
        if self.best_weights is not None:
            self.parts.model.load_state_dict(self.best_weights)

    def state_dict(self) -> dict[str, Any]:
        """All but the weights; tensors and plain values only."""
        scheduler = self.parts.scheduler
        return {
            "epoch": self.epoch,
            "step": self.step,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "finished": self.finished,
            "seen": self.seen.state_dict(),
            "best_weights": self.best_weights,
            "optimizer": self.parts.optimizer.state_dict(),
            "scheduler": scheduler.state_dict() if scheduler is not None else None,
            "scaler": self.scaler.state_dict(),
            "loader": _loader_state(self.parts.train),
            "random": random_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where the state was taken. Raises BadCheckpoint when it is of other parts."""
        device = device_of(self.parts.model)
        try:
            self.parts.optimizer.load_state_dict(state["optimizer"])
            if state["step"]:  # taken before the stop: torch's schedules need not warn that none was
                vars(self.parts.optimizer)["_opt_called"] = True
            if self.parts.scheduler is not None and state["scheduler"] is not None:
                self.parts.scheduler.load_state_dict(state["scheduler"])
            self.scaler.load_state_dict(state["scaler"] if self.scaler.is_enabled() else {})
            _restore_loader(self.parts.train, state["loader"])
            self.seen.load_state_dict(state["seen"], device)
            best = state["best_weights"]
            self.best_weights = None if best is None else {name: t.to(device) for name, t in best.items()}
            for name in ("epoch", "step", "best", "best_epoch", "finished"):
                setattr(self, name, state[name])
            set_random_state(state["random"])
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise BadCheckpoint(f"The checkpoint is of another optimizer, schedule or loader: {error}.") from None


@dataclass
class Checkpoints:
    """folder: holds the checkpoints `last`, written after every epoch, and `best`, after every epoch with a new best.

    every_steps: also write `last` after so many optimizer steps, exact to the batch where the loader can tell where it
    stands (TensorBatches, torchdata's StatefulDataLoader). resume: a checkpoint to continue from.
    """

    folder: Path
    every_steps: int | None = None
    resume: Path | None = None

    def restore(self, at: Standing) -> None:
        """Stand where `resume` was saved, if there is one."""
        if self.resume is not None:
            at.load_state_dict(checkpoint.load(self.resume, at.parts.model))

    def after_step(self, at: Standing) -> None:
        """Save `last` if it is due, and if the loader could go on from the middle of an epoch."""
        if self.every_steps and at.step % self.every_steps == 0 and hasattr(at.parts.train, "state_dict"):
            self._save(at)

    def after_epoch(self, at: Standing) -> None:
        """Save `last`, and keep it as `best` too if it is."""
        self._save(at, best=at.best_epoch == at.epoch)

    def _save(self, at: Standing, best: bool = False) -> None:
        """A full disk must not end the training; the checkpoint of before is still there."""
        try:
            checkpoint.save(self.folder / "last", at.parts.model, at.state_dict())
            if best:
                checkpoint.keep(self.folder / "last", "best")
        except BadCheckpoint as error:
            warnings.warn(f"{error} Training goes on.", stacklevel=2)


def _loader_state(loader: Loader) -> Any:
    """Where the loader and its random numbers stand; None when all it draws comes from torch's global ones."""
    if hasattr(loader, "state_dict"):
        return loader.state_dict()
    generator = getattr(loader, "generator", None)
    return generator.get_state() if isinstance(generator, torch.Generator) else None


def _restore_loader(loader: Loader, state: Any) -> None:
    if state is None:
        return
    if hasattr(loader, "load_state_dict"):
        loader.load_state_dict(state)
    else:
        generator = getattr(loader, "generator", None)
        if not isinstance(generator, torch.Generator):
            raise ValueError("the loader has no generator of its own to continue with")
        generator.set_state(state)
