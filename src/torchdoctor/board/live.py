"""Server-sent events: the browser is told that a run, or the list of runs, is not what it was, and fetches it anew.

May not: read a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from torchdoctor.board.folder import NoSuchRun
from torchdoctor.board.listing import listed
from torchdoctor.board.opened import Board

EVERY = 1.0  # seconds between two looks at one run
EVERY_LIST = 5.0  # and at all of them
ALIVE = 15.0  # seconds of silence after which a line is sent, so that nobody in between hangs up


async def events(board: Board, request: Request) -> Response:
    """The stream of one run (`at`), or of the list of runs."""
    key = request.query_params.get("at")

    def of_run() -> object:
        try:
            at = board.place(key or "")
        except NoSuchRun:
            return "gone"
        return at.stamp, at.state, board.cache.renewed

    def of_all() -> object:
        return listed(board)

    look, every = (of_all, EVERY_LIST) if key is None else (of_run, EVERY)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(look, every), media_type="text/event-stream", headers=headers)


async def _stream(look: Callable[[], object], every: float) -> AsyncIterator[str]:
    """Ends with the connection."""
    seen, silent, number = await run_in_threadpool(look), 0.0, 0
    yield "retry: 3000\n\n"
    while True:
        await asyncio.sleep(every)
        silent += every
        now = await run_in_threadpool(look)
        if now != seen:
            seen, silent, number = now, 0.0, number + 1
            yield f"data: {number}\n\n"
        elif silent >= ALIVE:
            silent = 0.0
            yield ": \n\n"
