"""`torchdoctor cure -c RECIPE`: find the causes, prove them by races, write the recipe that learns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import (
    AsJson,
    Config,
    FailOn,
    Overrides,
    exit_code,
    load,
    note,
    print_json,
    refuse_taken,
)
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity
from torchdoctor.record.place import new_folder

if TYPE_CHECKING:
    from torchdoctor.cures.cure import Cure
    from torchdoctor.recipe.schema import Recipe


REPORT, RECIPE, RESULT = "report.html", "recipe-cured.yaml", "cure.json"


@verb
def cure(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    budget: Annotated[
        str, typer.Option(help="What the races may cost: 3x (training runs), 10min or '20 trials'.")
    ] = "3x",
    seeds: Annotated[int, typer.Option(help="Seeds of each race.")] = 3,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: runs/DATE-NAME-cure.")] = None,
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Prove what keeps a recipe from learning. Races each remedy, and writes the cured recipe and a report."""
    recipe = load(config, overrides)
    folder = out or new_folder(f"{recipe.name}-cure")
    refuse_taken(folder, (REPORT, RECIPE, RESULT))
    found = cured(recipe, budget, seeds)
    if as_json:
        print_json(found.to_dict())
    else:
        found.show()
    kept = kept_in(found, folder)
    note(f"Report: {kept[0]}")
    for path in kept[1:]:
        note(f"Cured recipe: {path}. Train it: torchdoctor train -c {path}")
    return exit_code(found.report, fail_on)


def cured(recipe: Recipe, budget: str, seeds: int) -> Cure:
    """td.cure on a recipe, with its progress on standard error."""
    from torchdoctor.cli.progress import progress
    from torchdoctor.cures.budget import Budget
    from torchdoctor.cures.cure import cure
    from torchdoctor.cures.progress import Progress

    with progress(f"cure of {recipe.name}", unit=Budget.parse(budget).unit) as advance:

        def report_progress(p: Progress) -> None:
            advance(p.done, f"{p.what} ({p.why})", p.total)

        return cure(recipe.experiment(), budget=budget, seeds=seeds, report_progress=report_progress)


def kept_in(found: Cure, folder: Path) -> list[Path]:
    """The page, and the recipe where something was cured; beside them all of it as JSON, for the board."""
    from torchdoctor.show.html import written

    paths = [found.html(folder / REPORT)]
    written(folder / RESULT, found.to_json())
    if found.fix and found.recipe is not None and found.diff:
        paths.append(written(folder / RECIPE, found.recipe.to_yaml()))
    return paths
