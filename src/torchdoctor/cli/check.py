"""`torchdoctor check -c RECIPE`: examine data, model, loss and one real step before any training."""

from __future__ import annotations

from typing import Annotated

import typer

from torchdoctor.cli.options import AsJson, Config, FailOn, HtmlPath, Lang, Overrides, exit_code, load, say
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity


@verb
def check(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    budget: Annotated[float, typer.Option(metavar="SECONDS", help="How long the probes may take.")] = 10.0,
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Examine a recipe before training. Looks at data, model, loss and one real step; takes seconds."""
    recipe = load(config, overrides)

    from torchdoctor.probes.check import check

    parts = recipe.experiment().parts(recipe.seed)
    report = check(parts.model, parts.loss_fn, parts.optimizer, parts.train, parts.val, budget=budget, seed=recipe.seed)
    say(report, as_json=as_json, html=html, lang=lang)
    return exit_code(report, fail_on)
