"""Train a recipe or an experiment into a run folder: watched, judged, with checkpoints, resumable.

    run = td.train(Recipe.load("recipe.yaml"))
    run.history, run.report.findings, run.model, run.folder
    run = td.train(recipe, "runs/second", resume="runs/first")    # goes on where the first stopped

May not: know a rule (it asks the watch), print (a progress callback may).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import yaml
from torch import nn

from torchdoctor.data.preparation import save_beside
from torchdoctor.errors import BadCheckpoint, BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.judge.report import Report
from torchdoctor.parts import Loader, Parts
from torchdoctor.record.place import new_folder
from torchdoctor.record.run import Run
from torchdoctor.record.watch import Watch
from torchdoctor.train import checkpoint
from torchdoctor.train.findings import OpenFindings
from torchdoctor.train.log import History
from torchdoctor.train.loop import DEFAULTS, LoopOptions, OnEnd, fit, start
from torchdoctor.train.plot import plotted
from torchdoctor.train.progress import Meter, ReportProgress
from torchdoctor.train.ranks import Ranks, joined
from torchdoctor.train.resume import Checkpoints, checkpoint_in, restore
from torchdoctor.train.schedule import all_lengths, misfit, schedules_of
from torchdoctor.train.seed import seed_all
from torchdoctor.train.sharded import Journal, sharded, whole
from torchdoctor.train.standing import Standing
from torchdoctor.train.table import Table
from torchdoctor.train.tryout import tried


class Describes(Protocol):
    """What can say which experiment it is; a Recipe can."""

    def experiment(self) -> Experiment: ...


@dataclass(frozen=True, repr=False)
class Trained:
    """folder: the run. parts: as training left them. history: one row an epoch. report: what the rules say of it."""

    folder: Path
    parts: Parts
    history: Table
    report: Report

    @property
    def model(self) -> nn.Module:
        return self.parts.model

    def plot(self) -> Any:
        """A matplotlib Figure of losses and scores by epoch. Needs the extra `plot`."""
        return plotted(self.history, self.folder.name)

    def _repr_html_(self) -> str:
        """What a notebook shows: the curves, then the findings."""
        with closing(Run(self.folder)) as recorded:
            return recorded._repr_html_() + self.report._repr_html_()

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if name.endswith(("_loss", "_score"))}
        said = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
        found = ", ".join(f.name for f in self.report if f.alarm) or "no fault found"
        return f"<run {self.folder}: {self.history.epochs} epochs, {said}; {found}>"


def train(
    what: Experiment | Describes,
    folder: str | Path | None = None,
    *,
    seed: int | None = None,
    cost: float = 0.02,
    resume: str | Path | None = None,
    checkpoint_steps: int | None = None,
    on_step: OnEnd | None = None,
    on_epoch: OnEnd | None = None,
    report_progress: ReportProgress | None = None,
) -> Trained:
    """Train it once, recording to a new run folder (default: runs/DATE-NAME), with its checkpoints `last` and `best`
    and what the rules found in findings.json.

    seed: of the build; default the recipe's own, else 0. cost: the share of the time that watching may take.
    resume: a run folder or a checkpoint to go on from. checkpoint_steps: also keep the state after so many steps.
    on_step, on_epoch: functions of yours, called at the end of every optimizer step and epoch with a Standing: at.step,
    at.epoch, at.loss, at.numbers, at.model, at.parts; at.stop() ends the training there.
    Under torchrun all its processes train together; the first records, and the others' report is empty.
    A loop of the user's own is recorded too; it is kept once, at its end, because only its author knows its state.

    Ctrl-C leaves the run readable and its last checkpoint whole. Whatever is wrong is told before the folder is made:
    raises BadRun when it holds a run already or cannot be written, BadCheckpoint when `resume` does not fit or has
    nothing left to train, BadParts or BadRecipe when it cannot be trained.
    """
    experiment = what if isinstance(what, Experiment) else what.experiment()
    options = _own_options(experiment)
    if options is None and (resume is not None or on_step is not None or on_epoch is not None):
        raise BadParts(
            "resume, on_step and on_epoch are for torchdoctor's own loop; this experiment has a fit of its own, "
            "which must do it."
        )
    begin = None if resume is None else checkpoint_in(Path(resume))
    path = new_folder(experiment.name) if folder is None else Path(folder)
    seed = int((experiment.recipe or {}).get("seed", 0)) if seed is None else seed
    with joined("off" if options is None else options.distributed) as ranks:
        ranks = replace(ranks, shard=options is not None and options.shard)
        seed_all(seed)
        parts = experiment.parts(seed)
        if ranks.shard and options is not None:
            refused = {"ema": options.ema, "swa": options.swa, "l1": options.l1, "l2": options.l2}
            parts = sharded(parts, ranks.world, **refused, fp16=options.precision == "fp16")
        steps = _steps(parts.train, options)
        done = 0 if options is None else _examined(parts, options, experiment.epochs, steps, begin, ranks)
        watch = _watched(parts, experiment, path, cost, ranks) if ranks.first else None
        meter = Meter(experiment.epochs, steps, report_progress if ranks.first else None, done)

        found = OpenFindings(watch.report) if isinstance(watch, Watch) else None

        def keep(**numbers: float) -> None:
            if watch is not None:
                watch.log(**numbers)
            if found is not None and report_progress is not None:
                meter.findings = found.names()
            meter.logged(**numbers)

        history = History(experiment.epochs, also=keep)
        with watch or nullcontext():
            if watch is not None:
                save_beside(parts.train, path)
            if options is not None:
                kept, step = Checkpoints(path, checkpoint_steps, begin), _each(meter, watch, on_step)
                fit(parts, history, options, checkpoints=kept, on_step=step, on_epoch=on_epoch, ranks=ranks)
            elif experiment.fit is not None:
                experiment.fit(parts, history)
                checkpoint.save(path / "last", parts.model, {})
        if ranks.shard and (weights := whole(parts.model)):
            parts = experiment.parts(seed)
            parts.model.load_state_dict(weights)
    report = Report(()) if watch is None else watch.report()
    if watch is not None:
        (path / "findings.json").write_text(report.to_json(), "utf-8")
    return Trained(path, parts, Table(history.numbers), report)


def _watched(parts: Parts, experiment: Experiment, path: Path, cost: float, ranks: Ranks) -> Watch | Journal:
    """A watch on a new run folder."""
    recipe = None if experiment.recipe is None else yaml.safe_dump(dict(experiment.recipe), sort_keys=False)
    if ranks.shard:
        return Journal(parts, path, recipe)
    return Watch(parts.model, parts.optimizer, parts.loss_fn, run=path, cost=cost, recipe=recipe)


def _examined(
    parts: Parts, options: LoopOptions, epochs: int, steps: int | None, begin: Path | None, ranks: Ranks
) -> int:
    """What can be known before training is said before there is a folder. Returns the epochs that were done before."""
    if said := misfit(schedules_of(parts.scheduler, parts.optimizer), epochs, steps):
        raise BadParts(said)
    if not ranks.shard:  # a sharded model has no copy of its own
        tried(parts)
    at = start(parts, options, epochs, ranks)
    if begin is None:
        return 0
    wanted = all_lengths(at.schedules)
    restore(begin, at)  # fit does it again; here, so that a checkpoint that does not fit leaves no run
    if at.epoch >= epochs:
        raise BadCheckpoint(
            f"{begin} has trained {at.epoch} epochs already, and {epochs} were asked for. To go on, ask for more: "
            f"train.epochs={2 * at.epoch}."
        )
    if at.out_of_patience(options.patience):
        raise BadCheckpoint(
            f"{begin} stopped after epoch {at.epoch}, {options.patience} epochs after the best one. To go on, set "
            f"train.patience to more than {at.epoch - at.best_epoch}, or to null."
        )
    for asked, saved in zip(wanted, all_lengths(at.schedules)):
        for name, length in asked.items():
            if saved[name] != length:
                raise BadCheckpoint(
                    f"The schedule of {begin} was made for {name}={saved[name]}, and this one for {length}. Resume "
                    f"with {name}={saved[name]}, or train anew."
                )
    return at.epoch


def _each(meter: Meter, watch: Watch | Journal | None, on_step: OnEnd | None) -> Callable[[Standing], None]:
    def step(at: Standing) -> None:
        meter.step(at.step, at.waited)
        if isinstance(watch, Journal):
            watch.step(at)
        if on_step is not None:
            on_step(at)

    return step


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
    """Optimizer steps in an epoch; None where the loader does not say."""
    try:
        batches = len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None
    return -(-batches // (options or DEFAULTS).accumulate)
