"""`torchdoctor evaluate RUN`: how good a trained run is, how sure that is, and where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, FailOn, HtmlPath, Lang, exit_code, note, print_json, refuse_taken
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity
from torchdoctor.record.place import new_folder

if TYPE_CHECKING:
    from torchdoctor.evaluate.evaluation import Evaluation
    from torchdoctor.evaluate.opened import Opened, Part


@verb
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that train wrote.")],
    on: Annotated[str, typer.Option(metavar="PART", help="What it is scored on: train, val or test.")] = "test",
    checkpoint: Annotated[str, typer.Option(metavar="NAME", help="Which weights: best or last.")] = "best",
    against: Annotated[
        Path | None, typer.Option(metavar="RUN2", help="Another run, compared on the same samples.")
    ] = None,
    slices: Annotated[
        list[str],
        typer.Option("--slice", metavar="PATH", help="module:function of (inputs, target): a value per sample."),
    ] = [],  # noqa: B006 - typer copies it
    quick: Annotated[bool, typer.Option("--quick", help="No baselines, attacks or layer probes.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: runs/DATE-RUN-evaluation.")] = None,
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:  # fmt: skip
    """Evaluate a trained run. Scores with intervals, classes, calibration, baselines, worst samples, robustness."""
    from torchdoctor.evaluate.evaluation import SAVED
    from torchdoctor.evaluate.opened import Opened, chosen
    from torchdoctor.evaluate.recorded import recorded
    from torchdoctor.record.diagnose import diagnose
    from torchdoctor.record.folder import DATABASE
    from torchdoctor.show.evaluation_page import shown_samples
    from torchdoctor.show.evaluation_text import print_evaluation
    from torchdoctor.show.pictures import keep
    from torchdoctor.show.projection import of_answers

    part, kept = chosen(on, checkpoint)
    opened = Opened.of(run, kept)
    folder = out or new_folder(f"{run.resolve().name}-evaluation")
    refuse_taken(folder, (DATABASE,))
    found = evaluated(opened, part, against, slices, quick)
    recorded(found, folder, parent=run, recipe=opened.recipe.to_yaml(), checkpoint=kept)
    keep(folder, {
        "samples": {str(i): one for i, one in shown_samples(found, opened.loader(part), opened.naming).items()},
        "projection": of_answers(opened.model, opened.loader(part), opened.naming, part),
    })  # fmt: skip
    report = diagnose(folder)
    if as_json:
        print_json({"run": str(folder), "evaluation": found.to_dict(), **report.to_dict()})
    else:
        print_evaluation(found, f"{run} ({kept} checkpoint), evaluated on {part}")
        report.show(lang=lang)
    if html is not None:
        from torchdoctor.show.evaluation_page import write_evaluation

        title, loader = f"{run.resolve().name}, {part}", opened.loader(part)
        page = write_evaluation(found, html, title=title, report=report, loader=loader, naming=opened.naming, lang=lang)
        note(f"Page: {page}")
    note(f"Evaluation: {folder / SAVED}. Judge it again: torchdoctor diagnose {folder}")
    return exit_code(report, fail_on)


def evaluated(opened: Opened, on: Part, against: Path | None, slices: list[str], quick: bool) -> Evaluation:
    """The library's evaluate on an opened run."""
    from torchdoctor.evaluate.evaluate import evaluate
    from torchdoctor.evaluate.opened import Opened
    from torchdoctor.evaluate.options import DEFAULTS, QUICK
    from torchdoctor.recipe.imports import imported

    return evaluate(
        opened.model,
        opened.loader(on),
        **opened.others(on),
        on=on,
        loss_fn=opened.parts.loss_fn,
        classes=opened.naming.classes,
        slices={path.partition(":")[2] or path: imported(path, {}, "--slice") for path in slices},
        against=None if against is None else (str(against), Opened.of(against, opened.checkpoint).model),
        options=QUICK if quick else DEFAULTS,
    )
