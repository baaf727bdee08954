"""When a training run is kept, and going on with one that was.

May not: train, read batches, know what a checkpoint holds.
"""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

from torchdoctor.errors import BadCheckpoint
from torchdoctor.train import checkpoint
from torchdoctor.train.sharded import SHARDED, kept, spread
from torchdoctor.train.standing import Standing


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
        """Stand where `resume` was saved, if there is one, and take over what was best until then."""
        if self.resume is None:
            return
        restore(self.resume, at)
        best = self.resume.absolute().parent / "best"  # until an epoch is better, it is that of the run before
        if best.is_dir() and at.ranks.first and not (self.folder / "best").exists():
            try:
                shutil.copytree(best, self.folder / "best")
            except OSError as error:
                warnings.warn(f"Cannot copy {best}: {error}. Training goes on.", stacklevel=2)

    def after_step(self, at: Standing) -> None:
        """Save `last` if it is due, and if the loader could go on from the middle of an epoch."""
        if self.every_steps and at.step % self.every_steps == 0 and hasattr(at.parts.train, "state_dict"):
            self._save(at)

    def after_epoch(self, at: Standing) -> None:
        """Save `last`, and keep it as `best` too if it is."""
        self._save(at, best=at.best_epoch == at.epoch)

    def _save(self, at: Standing, best: bool = False) -> None:
        """A full disk must not end the training; the checkpoint of before is still there."""
        # Of a sharded run all processes have to take part in it.
        weights, state = kept(at) if at.ranks.shard else (at.model, at.state_dict())
        if not at.ranks.first:
            return
        try:
            checkpoint.save(self.folder / "last", weights, state)
            if best:
                checkpoint.keep(self.folder / "last", "best")
        except BadCheckpoint as error:
            warnings.warn(f"{error} Training goes on.", stacklevel=2)


def restore(folder: Path, at: Standing) -> None:
    """Stand where the checkpoint was saved. Raises BadCheckpoint when it does not fit."""
    state = checkpoint.state_of(folder)
    if bool(state.get(SHARDED)) != at.ranks.shard:
        of, shard = ("a sharded", "true") if state.get(SHARDED) else ("an unsharded", "false")
        raise BadCheckpoint(f"{folder} is of {of} run. Go on as it began: train.shard={shard}.")
    if at.ranks.shard:
        state = spread(checkpoint.weights_of(folder), state, at)
    else:
        checkpoint.load_weights(folder, at.parts.model)
    at.load_state_dict(state)


def checkpoint_in(path: Path) -> Path:
    """The last checkpoint of a run folder; a checkpoint's own folder is given back. Raises BadCheckpoint for others."""
    for folder in (path / "last", path):
        if (folder / checkpoint.STATE).is_file() or (folder.parent / f"{folder.name}.old").is_dir():
            return folder
    raise BadCheckpoint(f"{path} holds no checkpoint to resume from. Give a run folder, or one of its checkpoints.")
