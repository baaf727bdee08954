"""What the tests of the board share: a board over a folder, asked over HTTP like by anyone, and runs to show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import uvicorn

from torchdoctor.board.app import app
from torchdoctor.board.guard import names_of
from torchdoctor.record.run import Writer

TOKEN, COOKIE = "a-token", "torchdoctor-test"


@contextmanager
def served(root: Path, token: str = TOKEN, language: str = "") -> Iterator[str]:
    """The address of a board over `root`."""
    made = app(root, token=token, hosts=names_of("127.0.0.1"), cookie=COOKIE, language=language)
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def written(path: Path, steps: int = 200, close: bool = True, facts: dict[str, object] | None = None) -> Writer:
    """A run written by hand: a loss that falls, with a spike and a NaN in it."""
    writer = Writer(path)
    loss = np.exp(-np.arange(steps) / 50)[:, None]
    loss[steps // 2], loss[steps // 3] = 50.0, np.nan
    writer.append("loss", ("",), np.arange(steps), loss)
    for name, value in (facts or {}).items():
        writer.fact(name, value)
    writer.commit()
    if close:
        writer.close()
    return writer
