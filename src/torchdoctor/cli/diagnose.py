"""`torchdoctor diagnose RUN`: the rules over a recorded run. Works where torch is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from torchdoctor.cli.options import AsJson, FailOn, HtmlPath, Lang, exit_code, say
from torchdoctor.cli.verb import verb
from torchdoctor.judge.finding import Severity


@verb
def diagnose(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that watch or train wrote.")],
    html: HtmlPath = None,
    lang: Lang = "en",
    as_json: AsJson = False,
    fail_on: FailOn = Severity.WARNING,
) -> int:
    """Judge a recorded run. Says what is wrong, where, since when, and what to change."""
    from torchdoctor.record.diagnose import diagnose

    report = diagnose(run)
    say(report, as_json=as_json, html=html, lang=lang)
    return exit_code(report, fail_on)
