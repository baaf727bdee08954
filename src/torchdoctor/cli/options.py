"""The options that several verbs share, and what they mean."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Severity

if TYPE_CHECKING:
    from torchdoctor.judge.report import Report
    from torchdoctor.recipe.schema import Recipe


def _writable(file: Path | None) -> Path | None:
    """Raises BadRun, before hours of work, for a page that could not be written there."""
    if file is not None:
        refuse_taken(file.parent, ())
        if file.is_dir():
            raise BadRun(f"Cannot write {file}: it is a folder. Give the file, such as {file / 'report.html'}.")
    return file


def _spoken(language: str) -> str:
    """Raises BadRecipe, before hours of work, for a language that is not spoken here."""
    if language != "en":
        from torchdoctor.show.texts import spoken

        spoken(language)
    return language


Config = Annotated[Path, typer.Option("--config", "-c", metavar="RECIPE", help="The recipe: a YAML file.")]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a value of the recipe: --set optimizer.lr=0.01. Repeatable."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
FailOn = Annotated[Severity, typer.Option("--fail-on", help="Exit with 1 when a finding is at least this severe.")]
HtmlPath = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", callback=_writable, help="Also write the report as one HTML page."),
]

Lang = Annotated[str, typer.Option("--lang", metavar="en|zh", callback=_spoken, help="The language of the findings.")]


def load(config: Path, overrides: list[str]) -> Recipe:
    """The recipe with its overrides."""
    from torchdoctor.recipe.schema import Recipe

    return Recipe.load(config, overrides=tuple(overrides))


def say(
    report: Report,
    *,
    as_json: bool,
    html: Path | None = None,
    lang: str = "en",
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Print the report, and write its page where one is wanted. beside: what else JSON says, above the report."""
    if as_json:
        print_json({**(beside or {}), **report.to_dict()})
    else:
        report.show(lang=lang)
    if html is not None:
        report.html(html, lang)
        note(f"Report: {html}")


def print_json(values: Any) -> None:
    """Strict JSON: NaN and infinity as text."""
    import json

    from torchdoctor.judge.report import jsonable

    print(json.dumps(jsonable(values), indent=2, ensure_ascii=False, allow_nan=False))


def refuse_taken(folder: Path, files: Sequence[str]) -> None:
    """Raises BadRun, before hours of work, when they could not be written there or would take the place of others."""
    if (blocked := next((p for p in (folder, *folder.parents) if p.exists()), folder)) and not blocked.is_dir():
        raise BadRun(f"Cannot write to {folder}: {blocked} is a file. Give another folder.")
    if taken := [name for name in files if (folder / name).exists()]:
        raise BadRun(f"{folder} already holds {taken[0]}. Give another folder.")


def note(line: str) -> None:
    """A remark that is no result: on standard error, so that a pipe gets results alone."""
    print(line, file=sys.stderr)


def exit_code(report: Report, fail_on: Severity) -> int:
    """1 when a finding is at least as severe as `fail_on`, else 0."""
    return int(report.worst is not None and report.worst.rank >= fail_on.rank)
