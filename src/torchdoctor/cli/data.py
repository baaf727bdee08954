"""`torchdoctor data -c RECIPE`: what the data are, before anything learns from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, Config, FailOn, HtmlPath, Lang, Overrides, exit_code, load, note, print_json
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity

if TYPE_CHECKING:
    from torchdoctor.examine.material import Material
    from torchdoctor.examine.samples_shown import Changed
    from torchdoctor.judge.trace import Trace
    from torchdoctor.recipe.schema import Recipe


@verb
def data(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    sheet: Annotated[
        Path | None,
        typer.Option("--contact-sheet", metavar="FILE", help="Only draw what data.augment makes of samples, as a PNG."),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Also keep it as a run, for diagnose.")] = None,
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Examine the data of a recipe. Counts, balance, duplicates, outliers, label suspects, drift, augmentation."""
    from torchdoctor.examine.reading import material_of
    from torchdoctor.examine.samples_shown import changed_samples

    recipe = load(config, overrides)
    material = material_of(recipe)
    changed = changed_samples(material)
    if sheet is not None:
        return _draw(changed, sheet, recipe)
    trace = examined(material, run, recipe)

    from torchdoctor.judge.judge import judge

    report = judge(trace, title=recipe.name)
    if as_json:
        print_json({"facts": dict(trace.facts), "measured": _measured(trace), **report.to_dict()})
    else:
        from torchdoctor.show.data_text import print_data

        print_data(trace, f"{recipe.data.name}, {sum(map(len, material.parts.values())):,} samples")
        report.show(lang=lang)
    if html is not None:
        from torchdoctor.show.data_page import write_data

        title = f"{recipe.name}: {recipe.data.name}"
        note(f"Page: {write_data(trace, report, material, html, title=title, changed=changed, lang=lang)}")
    if run is not None:
        _keep_pictures(run, trace, material, changed, recipe)
        note(f"Run: {run}. Judge it again: torchdoctor diagnose {run}")
    return exit_code(report, fail_on)


def examined(material: Material, run: Path | None, recipe: Recipe) -> Trace:
    """What every examination says, with its progress on standard error."""
    from torchdoctor.cli.progress import progress
    from torchdoctor.discover import discover
    from torchdoctor.examine.examination import Examination
    from torchdoctor.examine.examine import examine

    with progress(f"examining {recipe.data.name}", len(discover("examine", Examination)), "examinations") as advance:
        return examine(material, run, recipe=recipe.to_yaml(), report_progress=advance)


def _keep_pictures(run: Path, trace: Trace, material: Material, changed: list[Changed], recipe: Recipe) -> None:
    """What the board shows of the data beside the numbers."""
    from dataclasses import asdict

    from torchdoctor.errors import TorchDoctorError
    from torchdoctor.evaluate.naming import naming_of
    from torchdoctor.show.data_page import galleries, sheet
    from torchdoctor.show.network_view import as_the_network_sees
    from torchdoctor.show.pictures import keep
    from torchdoctor.show.projection import of_material
    from torchdoctor.show.texts import texts

    try:
        experiment = recipe.experiment()
        network = as_the_network_sees(experiment.build(recipe.seed).train, naming_of(experiment.build))
    except TorchDoctorError:  # the data are shown all the same where the model of the recipe cannot be built
        network = []
    shown = [(title, [asdict(one) for one in samples]) for title, samples in galleries(trace, material, texts("en"))]
    keep(run, {"galleries": shown, "sheet": sheet(changed), "network": network, "projection": of_material(material)})


def _measured(trace: Trace) -> dict[str, dict[str, float | list[float]]]:
    """Signal -> subject ("" for all of it) -> value, a list for a vector."""
    return {
        signal: {subject: series.values[-1].tolist() for subject, series in group.items()}
        for signal, group in trace.data.items()
    }


def _draw(changed: list[Changed], path: Path, recipe: Recipe) -> int:
    from torchdoctor.errors import BadRecipe
    from torchdoctor.show.contact_sheet import write_sheet
    from torchdoctor.show.data_page import sheet_png

    if not changed:
        what = "the samples are no pictures" if recipe.data.augment else "data.augment names no step"
        raise BadRecipe(f"There is no contact sheet to draw: {what}. Try --set data.augment=[rotate,shift]")
    steps = ", ".join(name for step in recipe.data.augment for name in step)
    title = f"{recipe.data.name}: {steps}. At the left the sample as it is, then each step alone, then all of them."
    note(f"Contact sheet: {write_sheet(path, sheet_png(changed, title))}")
    return 0
