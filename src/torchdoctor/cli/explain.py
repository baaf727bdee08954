"""`torchdoctor explain RUN --sample 3`: why a trained run answers as it does, and whether to believe that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, HtmlPath, Lang, note, print_json, refuse_taken
from torchdoctor.cli.verb import verb
from torchdoctor.record.place import new_folder

if TYPE_CHECKING:
    from torchdoctor.explain.explanation import Explanation


@verb
def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that train wrote.")],
    sample: Annotated[int, typer.Option(metavar="N", help="The sample's place in the part, from 0.")] = 0,
    on: Annotated[str, typer.Option(metavar="PART", help="The part it is in: train, val or test.")] = "test",
    checkpoint: Annotated[str, typer.Option(metavar="NAME", help="Which weights: best or last.")] = "best",
    truth: Annotated[bool, typer.Option("--truth", help="Explain the true class, not the one answered.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: runs/DATE-RUN-explanation.")] = None,
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Explain one answer of a trained run. Heat maps with sanity checks, filters, feature maps, exciting patches."""
    from torchdoctor.evaluate.opened import Opened, chosen
    from torchdoctor.explain.explain import explain
    from torchdoctor.explain.recorded import recorded
    from torchdoctor.record.folder import DATABASE
    from torchdoctor.show.explanation_page import pictures_of, write_explanation
    from torchdoctor.show.pictures import keep

    part, kept = chosen(on, checkpoint)
    opened = Opened.of(run, kept)
    of = "truth" if truth else "guess"
    folder = out or new_folder(f"{run.resolve().name}-explanation")
    refuse_taken(folder, (DATABASE,))
    found = explain(opened.model, opened.loader(part), sample, of=of, classes=opened.naming.classes)  # type: ignore[arg-type]
    recorded(found, folder, parent=run, recipe=opened.recipe.to_yaml(), checkpoint=kept, on=part)
    keep(folder, pictures_of(found, opened.naming.features))
    title = f"{run.resolve().name}, {part} {sample}"
    place, names = html or folder / "explanation.html", opened.naming.features
    page = write_explanation(found, place, title=title, names=names, lang=lang)
    if as_json:
        print_json({"run": str(folder), "page": str(page), **found.to_dict()})
    else:
        _print(found)
    note(f"Page: {page}")


def _print(found: Explanation) -> None:
    """In a few lines; the pictures are on the page."""
    from torchdoctor.show.words import printable

    sure = ", ".join(f"{printable(name)} {p:.1%}" for name, p in found.probabilities.items())
    print(f"Sample {found.sample}: {printable(found.truth)}, answered {printable(found.guess)}{sure and f' ({sure})'}.")
    print(f"Why {printable(found.target)}:")
    width = max((len(c.method) for c in found.checks), default=0)
    for check in found.checks:
        word = "not tested" if check.passed is None else "passed" if check.passed else "failed"
        print(f"  {check.method:<{width}}  {word:<10}  {check.name}: {check.said}")
    for layer in found.layers:
        high, wide = layer.field
        print(f"  {printable(layer.layer)}: {layer.channels} channels, each unit sees {high} x {wide} pixels")
    for name, why in found.left_out.items():
        print(f"  left out: {name} ({printable(why)})")
