"""`torchdoctor board [RUNS]`: the runs as web pages on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, note, print_json
from torchdoctor.cli.verb import verb

if TYPE_CHECKING:
    from torchdoctor.board.serve import Address


@verb
def board(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="The folder with the runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free one.")] = 6173,
    host: Annotated[
        str, typer.Option(help="Other machines see the board only when another one is given.")
    ] = "127.0.0.1",
    token: Annotated[str, typer.Option(metavar="TOKEN", help="Default: a new random one.")] = "",
    open_access: Annotated[bool, typer.Option("--no-token", help="Let everyone in who reaches the port.")] = False,
    lang: Annotated[str, typer.Option(metavar="en|zh", help="Default: what the browser prefers.")] = "",
    benchmark: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also show this table.json of `python -m cases.run`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the runs as live web pages. Curves, layers, findings, cures and comparisons, until Ctrl-C."""
    import secrets
    import sys

    from torchdoctor.errors import BadRecipe, did_you_mean
    from torchdoctor.extra import needed

    needed("starlette", extra="board")
    from torchdoctor.board.serve import serve
    from torchdoctor.show.texts import LANGUAGES

    if lang and lang not in LANGUAGES:
        raise BadRecipe(f"--lang {lang}: the board does not speak it. {did_you_mean(lang, LANGUAGES)}")

    def ready(address: Address) -> None:
        if as_json:
            print_json({"url": address.url, "port": address.port})
        else:
            print(address.url)
        sys.stdout.flush()  # whoever reads it from a pipe waits for it
        if not as_json:
            note(f"The board over {runs}. Open the address in a browser; Ctrl-C ends it.")

    serve(runs, host, port, "" if open_access else token or secrets.token_urlsafe(24), lang, ready, benchmark)
