"""`torchdoctor cure -c RECIPE`: find the causes, prove them by races, write the recipe that learns.

Every race is a run in the cure's folder. `torchdoctor cure --resume FOLDER` goes on after a Ctrl-C or a kill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from torchdoctor.cli.options import (
    AsJson,
    FailOn,
    Lang,
    Overrides,
    exit_code,
    load,
    note,
    print_json,
    refuse_taken,
)
from torchdoctor.cli.verb import verb
from torchdoctor.errors import BadRecipe, BadRun
from torchdoctor.judge.finding import Severity
from torchdoctor.record.place import new_folder

if TYPE_CHECKING:
    from torchdoctor.cures.result import Cure
    from torchdoctor.cures.runner import Runner
    from torchdoctor.recipe.schema import Recipe

REPORT, RECIPE, RESULT, PATCH = "report.html", "recipe-cured.yaml", "cure.json", "fix.patch"
SICK, ASKED = "recipe.yaml", "asked.json"  # what a cure that is begun leaves there, for --resume
BUDGET, SEEDS = "3x", 3
STOPPED = 130  # by Ctrl-C, as every shell has it


@verb
def cure(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="RECIPE", help="The recipe: a YAML file.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    budget: Annotated[
        str | None, typer.Option(help=f"What the races may cost: {BUDGET} (training runs; default), 10min, 40trials.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help=f"Seeds of each race; default {SEEDS}.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: runs/DATE-NAME-cure.")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Go on with the cure in it, perhaps with a larger --budget.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="CLUSTER", help="Who trains: ray, or ray://HOST:PORT. Default: this process."),
    ] = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Prove what keeps a recipe from learning. Races each remedy, and writes the cured recipe and a report.

    Ctrl-C ends it with what was proven until then; every race is kept, and --resume goes on from there.
    """
    if (config is None) == (resume is None):
        raise BadRecipe("Give what is to be cured: -c RECIPE, or --resume FOLDER of a cure that was begun.")
    if resume is None and config is not None:
        recipe = load(config, overrides)
        folder = out or new_folder(f"{recipe.name}-cure")
        refuse_taken(folder, (REPORT, RECIPE, RESULT, SICK, ASKED))
        asked: dict[str, Any] = {}
    else:
        folder = resume or Path()
        recipe, asked = begun(folder, overrides, out)
    budget, seeds = budget or asked.get("budget", BUDGET), seeds or asked.get("seeds", SEEDS)
    with nodes(on) as runner:
        found = cured(recipe, str(budget), int(seeds), folder, resume is not None, runner)
    if as_json:
        print_json(found.to_dict())
    else:
        found.show(lang=lang)
    kept = kept_in(found, folder, lang)
    note(f"Report: {kept[0]}")
    for path in kept[1:]:
        note(f"Cured recipe: {path}. Train it: torchdoctor train -c {path}")
    if found.interrupted:
        note(f"Stopped. Go on: torchdoctor cure --resume {folder}")
        return STOPPED
    return exit_code(found.report, fail_on)


@contextmanager
def nodes(on: str | None) -> Iterator[Runner | None]:
    """Who trains the arms; None for this process."""
    if on is None:
        yield None
        return
    if on != "ray" and not on.startswith("ray://"):
        raise BadRecipe(f"--on {on} is no cluster. Give ray for this machine's, or ray://HOST:PORT.")
    from torchdoctor.connect.ray import cluster

    with cluster(None if on == "ray" else on) as made:
        yield made


def begun(folder: Path, overrides: Sequence[str], out: Path | None) -> tuple[Recipe, dict[str, Any]]:
    """The recipe of a cure that was begun in that folder, and what was asked for."""
    from torchdoctor.cures.shelf import Shelf
    from torchdoctor.recipe.schema import Recipe

    if overrides or out is not None:
        raise BadRecipe("--resume goes on with the recipe in the folder; --set and --out are for a new cure.")
    asked = Shelf(folder).asked
    if not asked or not (folder / SICK).is_file():
        raise BadRun(f"{folder} holds no cure to go on with: it has no {ASKED} and {SICK}.")
    return Recipe.load(folder / SICK), asked


def cured(
    recipe: Recipe, budget: str, seeds: int, folder: Path, resume: bool = False, on: Runner | None = None
) -> Cure:
    """td.cure on a recipe, with its progress on standard error."""
    from torchdoctor.cli.progress import progress
    from torchdoctor.cures.budget import Budget
    from torchdoctor.cures.cure import cure
    from torchdoctor.cures.progress import Progress

    unit = Budget.parse(budget).unit
    with progress(f"cure of {recipe.name}", unit=unit) as advance:

        def report_progress(p: Progress) -> None:
            advance(p.done, f"{p.what} ({p.why})", p.total)

        return cure(
            recipe.experiment(), budget=budget, seeds=seeds, folder=folder, resume=resume, on=on,
            report_progress=report_progress,
        )  # fmt: skip


def kept_in(found: Cure, folder: Path, lang: str = "en") -> list[Path]:
    """The page, and the recipe where something was cured."""
    from torchdoctor.show.html import written

    paths = [found.html(folder / REPORT, lang)]
    (folder / RECIPE).unlink(missing_ok=True)  # of an earlier budget
    if found.fix and found.recipe is not None and found.diff:
        paths.append(written(folder / RECIPE, found.recipe.to_yaml()))
    if found.source.diff:
        note(f"Patch of your code: {folder / PATCH}. Apply it: git apply {folder / PATCH}")
    return paths
