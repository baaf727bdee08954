"""`torchdoctor demo`: a LeNet-5 that does not learn, examined and cured on real digits.

It does what anyone can do with `train` and `cure`; nothing further down knows that it is the demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from torchdoctor.cli.cure import cured, kept_in
from torchdoctor.cli.options import AsJson, print_json
from torchdoctor.cli.train import trained
from torchdoctor.cli.verb import verb
from torchdoctor.record.place import new_folder

BUDGET, SEEDS = (
    "10x",
    5,
)  # more than a cure's defaults: a run takes seconds here, and each of three faults is to be proven
RECIPE = Path(__file__).with_name("demo.yaml")
ROWS = (("train_score", "training"), ("val_score", "validation"), ("test_score", "test, never used before"))


@verb
def demo(
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: runs/DATE-demo.")] = None,
    as_json: AsJson = False,
) -> int:
    """Watch a sick LeNet-5 be diagnosed and cured. Real handwritten digits, no download, about a minute."""
    from torchdoctor.recipe.schema import Recipe

    folder = out or new_folder("demo")
    say = (lambda *_: None) if as_json else print
    recipe = Recipe.load(RECIPE)
    say(f"A network for 1,797 handwritten digits, by this recipe:\n\n{_without_comments(RECIPE.read_text('utf-8'))}\n")
    _, before = trained(recipe, folder / "sick")
    say(f"After {recipe.train.epochs} epochs it reads {before['test_score']:.0%} of the test digits. Why?\n")
    found = cured(recipe, BUDGET, SEEDS, folder)
    if not as_json:
        found.show()
        print()
    after: Mapping[str, float] = {}
    if found.fix and found.recipe is not None:
        _, after = trained(found.recipe, folder / "cured")
        say(f"\n{_table(before, after)}")
    paths = kept_in(found, folder)
    if as_json:
        print_json({"folder": str(folder), "before": before, "after": after, "cure": found.to_dict()})
    say(_next(folder, paths))
    return int(found.verdict != "cured")


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def _table(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    lines = [f"{'share of digits read':<26}{'sick':>8}{'cured':>8}"]
    lines += [f"{label:<26}{before[name]:>8.3f}{after[name]:>8.3f}" for name, label in ROWS if name in before]
    return "\n".join(lines)


def _next(folder: Path, paths: list[Path]) -> str:
    lines = ["", "What there is now, and what to try next:", *(f"  {path}" for path in paths)]
    lines += [f"  torchdoctor diagnose {folder / 'sick'}", f"  torchdoctor check -c {folder / 'sick' / 'recipe.yaml'}"]
    lines += [f"  torchdoctor train -c {path}" for path in paths[1:]]
    return "\n".join([*lines, "  torchdoctor rules"])
