"""`torchdoctor train -c RECIPE`: train while watching, into a run folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import (
    AsJson,
    Config,
    FailOn,
    HtmlPath,
    Lang,
    Overrides,
    exit_code,
    load,
    note,
    refuse_taken,
    say,
)
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity
from torchdoctor.record.place import new_folder

if TYPE_CHECKING:
    from torchdoctor.judge.report import Report
    from torchdoctor.recipe.schema import Recipe
    from torchdoctor.train.progress import Progress


@verb
def train(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    run: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The run folder; default: runs/DATE-NAME.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on from that run's last checkpoint.")] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(min=0, metavar="PRICE", help="Of this machine; progress then says what it costs.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write it for TensorBoard, with histograms of every epoch.")
    ] = None,
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Train a recipe while watching it. Writes a run folder: signals, checkpoints, findings."""
    from torchdoctor.connect.board_folder import must_be_empty

    recipe = load(config, overrides)
    folder = run or new_folder(recipe.name)
    if tensorboard is not None:
        refuse_taken(tensorboard, ())
        must_be_empty(tensorboard)

    from torchdoctor.train.ranks import is_first

    if not is_first():  # of torchrun's processes one speaks
        trained(recipe, folder, resume, silent=True)
        return 0
    report, scores = trained(recipe, folder, resume, price_per_hour, tensorboard, lang=lang)
    if not as_json:
        print(", ".join(f"{name} {value:.3f}" for name, value in scores.items()), end="\n\n")
    say(report, as_json=as_json, html=html, lang=lang, beside={"run": str(folder), "scores": scores})
    note(f"Run: {folder}. Judge it again: torchdoctor diagnose {folder}")
    return exit_code(report, fail_on)


def trained(
    recipe: Recipe,
    folder: Path,
    resume: Path | None = None,
    price_per_hour: float | None = None,
    tensorboard: Path | None = None,
    *,
    silent: bool = False,
    lang: str = "en",
) -> tuple[Report, Mapping[str, float]]:
    """What the rules say of the watched training, and the last train_score, val_score and test_score."""
    from torchdoctor.cli.progress import progress
    from torchdoctor.connect.tensorboard import Histograms, exported
    from torchdoctor.show.live_view import LiveView
    from torchdoctor.show.texts import texts
    from torchdoctor.train.run import train
    from torchdoctor.train.score import score

    try:
        view = LiveView(folder, texts(lang))
        with nullcontext(_nothing) if silent else progress(f"training {recipe.name}", below=view.lines) as advance:

            def report_progress(p: Progress) -> None:
                view.found(p.findings, p.step)
                advance(p.step, _words(p, price_per_hour, named=not sys.stderr.isatty()), p.steps)

            on_epoch = Histograms(tensorboard) if tensorboard else None
            run = train(recipe, folder, resume=resume, on_epoch=on_epoch, report_progress=report_progress)
            view.end()
    except KeyboardInterrupt:
        if (folder / "last").is_dir():
            note(f"Stopped. {folder} holds what was recorded; go on in a new run with: --resume {folder}")
        raise
    if tensorboard:
        exported(folder, tensorboard, run.parts)
        note(f"TensorBoard: tensorboard --logdir {tensorboard}")
    scores: dict[str, float] = {name: all_of[-1] for name, all_of in run.history.items() if name.endswith("_score")}
    if not silent and (test := recipe.test()) is not None:
        scores["test_score"] = score(run.model, test)
    return run.report, scores


def _nothing(*_: object) -> None:
    """Progress that nobody sees."""


def _words(p: Progress, price_per_hour: float | None, named: bool = True) -> str:
    """epoch 3, val_score 0.91, 12 % waiting for data, cost 0.10 of 0.40. named: the findings too, which a terminal
    shows below in a line each."""
    from torchdoctor.show.words import listed, number

    said = [f"epoch {min(p.epoch + 1, p.epochs)}/{p.epochs}"]
    said += [f"{name} {number(p.numbers[name])}" for name in ("val_score", "train_score") if name in p.numbers][:1]
    said.append(f"{p.data_share:.0%} waiting for data")
    if price_per_hour is not None:
        spent, total = p.cost(price_per_hour)
        said.append(f"cost {spent:.2f}" + ("" if total is None else f" of {total:.2f}"))
    if p.findings and named:
        said.append(f"so far {listed(p.findings, at_most=2)}")
    return ", ".join(said)
