"""`torchdoctor repro -c RECIPE`: train twice and compare every batch, gradient and weight."""

from __future__ import annotations

from typing import Annotated

import typer

from torchdoctor.cli.options import AsJson, Config, Overrides, load, note, print_json
from torchdoctor.cli.verb import verb


@verb
def repro(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    steps: Annotated[int, typer.Option(min=1, help="Optimizer steps to compare, at most.")] = 100,
    as_json: AsJson = False,
) -> int:
    """Train twice and say whether both runs agree. Names the first batch, gradient or weight that differs."""
    recipe = load(config, overrides)

    from torchdoctor.train.repro import repeated

    note(f"Training {recipe.name} twice, {steps} steps each, in processes of their own")
    found = repeated(recipe, steps=steps, seed=recipe.seed)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found.message)
    return int(found.difference is not None)
