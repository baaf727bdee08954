"""Serve the board on this machine until Ctrl-C.

May not: print.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torchdoctor.board.app import app
from torchdoctor.board.guard import names_of
from torchdoctor.errors import BadRun
from torchdoctor.extra import needed


@dataclass(frozen=True)
class Address:
    """Where the board listens. token: "" for none."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """To open in a browser; the first time with the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def serve(
    root: Path,
    host: str,
    port: int,
    token: str,
    language: str = "",
    ready: Callable[[Address], None] | None = None,
    benchmark: Path | None = None,
) -> None:
    """port: 0 takes any free one. ready: called when the address is taken. benchmark: see app. Raises BadRun where
    there is no such folder, or the address cannot be had."""
    uvicorn = needed("uvicorn", extra="board")
    if not root.is_dir():
        raise BadRun(f"{root} is no folder. Give the one that holds your runs: torchdoctor board runs/")
    listening = _listening(host, port)
    address = Address(host, int(listening.getsockname()[1]), token)
    # Cookies know no ports: two boards on one machine would take each other's away.
    cookie = f"torchdoctor-{address.port}"
    board = app(root, token=token, hosts=names_of(host), cookie=cookie, language=language, benchmark=benchmark)
    options = uvicorn.Config(board, log_level="warning", timeout_graceful_shutdown=1, access_log=False)
    with listening:
        if ready is not None:
            ready(address)
        uvicorn.Server(options).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
        made.listen(128)  # who follows the address at once waits for the first answer, instead of being refused
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadRun(f"Cannot listen on {host}:{port} ({why}). Choose another: --port 0 takes any free one.") from None
    return made
