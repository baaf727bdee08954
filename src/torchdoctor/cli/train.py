"""`torchdoctor train -c RECIPE`: train while watching, into a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, Config, FailOn, HtmlPath, Overrides, exit_code, load, new_run, note, say
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity

if TYPE_CHECKING:
    from torchdoctor.judge.report import Report
    from torchdoctor.recipe.schema import Recipe


@verb
def train(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    run: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The run folder; default: runs/DATE-NAME.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on from that run's last checkpoint.")] = None,
    html: HtmlPath = None,
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Train a recipe while watching it. Writes a run folder: signals, checkpoints, findings."""
    recipe = load(config, overrides)
    folder = run or new_run(recipe.name)
    report, scores = trained(recipe, folder, resume)
    if not as_json:
        print(", ".join(f"{name} {value:.3f}" for name, value in scores.items()), end="\n\n")
    say(report, as_json=as_json, html=html, beside={"run": str(folder), "scores": scores})
    note(f"Run: {folder}. Judge it again: torchdoctor diagnose {folder}")
    return exit_code(report, fail_on)


def trained(recipe: Recipe, folder: Path, resume: Path | None = None) -> tuple[Report, Mapping[str, float]]:
    """What the rules say of the watched training, and the last train_score, val_score and test_score."""
    from torchdoctor.cli.progress import progress
    from torchdoctor.recipe.build import loop_options
    from torchdoctor.record.watch import Watch
    from torchdoctor.show.html import written
    from torchdoctor.show.words import number
    from torchdoctor.train.log import History
    from torchdoctor.train.loop import fit
    from torchdoctor.train.resume import Checkpoints
    from torchdoctor.train.score import score

    parts = recipe.experiment().build(recipe.seed)
    watch = Watch(parts.model, parts.optimizer, parts.loss_fn, run=folder, recipe=recipe.to_yaml())
    history = History(recipe.train.epochs, also=watch.log)
    checkpoints = Checkpoints(folder, resume=resume / "last" if resume else None)
    steps = -(-len(parts.train) // recipe.train.accumulate) * recipe.train.epochs  # type: ignore[arg-type]
    try:
        with watch, progress(f"training {recipe.name}", steps) as advance:

            def on_step(step: int) -> None:
                last = history.numbers.get("val_score", history.numbers.get("train_score"))
                advance(step, f"epoch {step * recipe.train.epochs // steps}, score {number(last[-1])}" if last else "")

            fit(parts, history, loop_options(recipe), checkpoints=checkpoints, on_step=on_step)
    except KeyboardInterrupt:
        note(f"Stopped. {folder} holds what was recorded; go on in a new run with: --resume {folder}")
        raise
    report = watch.report()
    written(folder / "findings.json", report.to_json())
    scores: dict[str, float] = {name: all_of[-1] for name, all_of in history.numbers.items() if name.endswith("_score")}
    if (test := recipe.test()) is not None:
        scores["test_score"] = score(parts.model, test)
    return report, scores
