"""The one thing that a request can change: the tags of a run.

May not: know a page, write anything else.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from torchdoctor.board.folder import NoSuchRun
from torchdoctor.board.opened import Board
from torchdoctor.errors import BadRun
from torchdoctor.record.tags import tag, tags_of

LONGEST = 4_000  # bytes of a form


async def tagged(board: Board, request: Request) -> Response:
    """Set the tags of the run `at` to the words of `tags`, parted by commas; then back to its page."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            return PlainTextResponse("The form is too long.\n", 413)
    try:
        form = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10)
    except (UnicodeDecodeError, ValueError):
        return PlainTextResponse("This is no form.\n", 400)
    key = form.get("at", [""])[0]
    wanted = [word.strip() for word in form.get("tags", [""])[0].split(",") if word.strip()]
    try:
        await run_in_threadpool(_set, board, key, wanted)
    except NoSuchRun as error:
        return PlainTextResponse(f"{error}\n", 404)
    except BadRun as error:
        return PlainTextResponse(f"{error}\n", 422)
    return RedirectResponse(f"/run?{urlencode({'at': key})}", 303)


def _set(board: Board, key: str, wanted: list[str]) -> None:
    path = board.place(key).path
    tag(path, *wanted, remove=[old for old in tags_of(path) if old not in wanted])
