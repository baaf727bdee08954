"""`torchdoctor VERB ...`: finds the verbs, runs one, and turns what happens into an exit code.

0 nothing wrong, 1 findings at or above --fail-on, 2 wrong usage or input (one line says what to do), 3 crashed.
May not: import torch, NumPy or rich; know any verb.
"""

from __future__ import annotations

import functools
import io
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from torchdoctor.cli.verb import Deed, Verb
from torchdoctor.discover import discover
from torchdoctor.errors import TorchDoctorError

USAGE, CRASHED = 2, 3
DEBUG = "--debug"
HELP = {"help_option_names": ["-h", "--help"]}
EPILOG = (
    "Exit codes: 0 nothing wrong, 1 findings at or above --fail-on (also where a cure was found for them), 2 wrong "
    "usage, 3 crashed, 130 stopped by Ctrl-C."
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command line (default: this process's own); always ends in SystemExit."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = [a for a in given if a != DEBUG]  # it may stand anywhere
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no bars or dashes shows a question mark
    try:
        app()(arguments, prog_name="torchdoctor")
    except TorchDoctorError as error:
        _end(USAGE, f"torchdoctor: {_one_line(error)}", trace=DEBUG in given)
    except Exception as error:  # noqa: BLE001 - the outermost frame: a crash must not look like findings (exit code 1)
        again = shlex.join(["torchdoctor", DEBUG, *arguments])
        _end(
            CRASHED,
            f"torchdoctor crashed: {type(error).__name__}: {_one_line(error)} (see where: {again})",
            DEBUG in given,
        )


def app() -> typer.Typer:
    """The command line with every verb of this folder and of the entry points `torchdoctor.verbs`."""
    # Plain help: typer's own boxes would import rich, which costs as much as all the rest of the start.
    made = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True,
        epilog=EPILOG, context_settings=HELP,
    )  # fmt: skip
    made.callback()(_torchdoctor)
    for verb in discover("cli", Verb).values():
        made.command(verb.name, help=verb.doc, context_settings=HELP)(_command(verb.run))
    return made


def _version(wanted: bool) -> None:
    if wanted:
        from torchdoctor import __version__

        print(f"torchdoctor {__version__}")
        raise typer.Exit


def _torchdoctor(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Print it.")] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show where an error came from.")] = False,  # taken by main()
) -> None:
    """Find out why a PyTorch network does not learn, prove the cause by experiment, apply the fix, show the result."""


def _command(run: Deed) -> Deed:
    """The verb as typer wants it: the code it returns becomes the process's."""

    @functools.wraps(run)
    def command(*args: object, **options: object) -> None:
        raise typer.Exit(run(*args, **options) or 0)

    return command


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _end(code: int, line: str, trace: bool) -> None:
    if trace:
        traceback.print_exc()
    print(line, file=sys.stderr)
    raise SystemExit(code)
