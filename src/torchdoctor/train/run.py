"""Train a recipe or an experiment into a run folder: watched, with checkpoints, resumable.

    trained = train(Recipe.load("recipe.yaml"), "runs/first")
    trained = train(recipe, "runs/second", resume="runs/first")    # goes on where the first stopped

May not: judge, print (a progress callback may).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import yaml
from torch import nn

from torchdoctor.errors import BadCheckpoint, BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Loader, Parts
from torchdoctor.record.watch import Watch
from torchdoctor.train import checkpoint
from torchdoctor.train.log import History
from torchdoctor.train.loop import DEFAULTS, LoopOptions, fit
from torchdoctor.train.progress import Meter, ReportProgress
from torchdoctor.train.resume import Checkpoints
from torchdoctor.train.seed import seed_all


class Describes(Protocol):
    """What can say which experiment it is; a Recipe can."""

    def experiment(self) -> Experiment: ...


@dataclass(frozen=True)
class Trained:
    """folder: the run. parts: as training left them. history: {name: one value per epoch}."""

    folder: Path
    parts: Parts
    history: Mapping[str, list[float]]

    @property
    def model(self) -> nn.Module:
        return self.parts.model


def train(
    what: Experiment | Describes,
    folder: str | Path | None = None,
    *,
    seed: int | None = None,
    cost: float = 0.02,
    resume: str | Path | None = None,
    checkpoint_steps: int | None = None,
    report_progress: ReportProgress | None = None,
) -> Trained:
    """Train it once, recording to a new run folder (default: runs/DATE-NAME), with its checkpoints `last` and `best`.

    seed: of the build; default the recipe's own, else 0. cost: the share of the time that watching may take.
    resume: a run folder or a checkpoint to go on from. checkpoint_steps: also keep the state after so many steps.
    A loop of the user's own is recorded too; it is kept once, at its end, because only its author knows its state.

    Ctrl-C leaves the run readable and its last checkpoint whole. Raises BadRun when the folder holds a run already or
    cannot be written, BadCheckpoint when `resume` does not fit, BadParts or BadRecipe when it cannot be trained.
    """
    experiment = what if isinstance(what, Experiment) else what.experiment()
    options = _own_options(experiment)
    if options is None and resume is not None:
        raise BadParts("resume is for torchdoctor's own loop; this experiment has a fit of its own, which must do it.")
    start = None if resume is None else checkpoint_in(Path(resume))
    path = new_folder(experiment.name) if folder is None else Path(folder)
    seed = int((experiment.recipe or {}).get("seed", 0)) if seed is None else seed
    seed_all(seed)
    parts = experiment.build(seed)
    if start is not None:
        checkpoint.load(start, parts.model)  # fit loads it again; here, so that one that does not fit leaves no run
    recipe = None if experiment.recipe is None else yaml.safe_dump(dict(experiment.recipe), sort_keys=False)

    with Watch(parts.model, parts.optimizer, parts.loss_fn, run=path, cost=cost, recipe=recipe) as watch:
        meter = Meter(experiment.epochs, _steps(parts.train, options), report_progress)

        def keep(**numbers: float) -> None:
            watch.log(**numbers)
            meter.logged(**numbers)

        history = History(experiment.epochs, also=keep)
        if options is not None:
            kept = Checkpoints(path, checkpoint_steps, start)
            fit(parts, history, options, checkpoints=kept, on_step=meter.step)
        elif experiment.fit is not None:
            experiment.fit(parts, history)
            checkpoint.save(path / "last", parts.model, {})
    return Trained(path, parts, history.numbers)


def checkpoint_in(path: Path) -> Path:
    """The last checkpoint of a run folder; a checkpoint's own folder is given back. Raises BadCheckpoint for others."""
    for folder in (path / "last", path):
        if (folder / checkpoint.STATE).is_file() or folder.with_name(folder.name + ".old").is_dir():
            return folder
    raise BadCheckpoint(f"{path} holds no checkpoint to resume from. Give a run folder, or one of its checkpoints.")


def new_folder(name: str, parent: Path = Path("runs")) -> Path:
    """runs/DATE-NAME, with a number behind it where that is taken."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    base = parent / f"{datetime.now(UTC).date().isoformat()}-{plain}"
    folder, number = base, 2
    while folder.exists():
        folder, number = base.with_name(f"{base.name}-{number}"), number + 1
    return folder


def _own_options(experiment: Experiment) -> LoopOptions | None:
    """The options when the experiment trains with torchdoctor's own loop; None when with a loop of the user's."""
    loop = experiment.fit
    if loop is None or loop is fit:
        return replace(DEFAULTS, score=experiment.score)
    if isinstance(loop, partial) and loop.func is fit:
        options: LoopOptions = loop.keywords.get("options", DEFAULTS)
        return replace(options, score=options.score or experiment.score)
    return None


def _steps(loader: Loader, options: LoopOptions | None) -> int | None:
    try:
        batches = len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None
    return -(-batches // (options or DEFAULTS).accumulate)
