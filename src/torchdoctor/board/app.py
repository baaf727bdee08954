"""The board as an ASGI application: pages, their twins, static files, and the stream that says when a run went on.

May not: know a page, open a run.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from torchdoctor.board.cache import Cache
from torchdoctor.board.folder import NoSuchRun
from torchdoctor.board.guard import TAGGING, Guard
from torchdoctor.board.live import events
from torchdoctor.board.opened import Board
from torchdoctor.board.page import Asked, Page
from torchdoctor.board.tagging import tagged
from torchdoctor.discover import discover
from torchdoctor.errors import BadRun
from torchdoctor.judge.report import jsonable
from torchdoctor.show.on_disk import environment
from torchdoctor.show.texts import DEFAULT, LANGUAGES, Texts, preferred, texts

HERE = Path(__file__).parent
LANGUAGE = "language"  # the cookie of a choice made by ?lang=zh
MOST = 20  # runs in one address
Answer = Callable[[Request], Response]


def app(
    root: Path,
    *,
    token: str = "",
    hosts: tuple[str, ...] = ("*",),
    cookie: str = "torchdoctor",
    language: str = "",
    benchmark: Path | None = None,
    cache: Cache | None = None,
) -> Starlette:
    """The board over `root`. token: "" lets everyone in, to read; hosts: the names it may be asked by. language: "" is
    what the browser prefers. benchmark: a table.json of cases.run. cache: how long pages wait."""
    board = Board(root.resolve(), benchmark, writable=bool(token), cache=cache or Cache())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        board.cache.close()

    async def changes(request: Request) -> Response:
        return await events(board, request)

    async def tags(request: Request) -> Response:
        return await tagged(board, request)

    routes: list[Any] = [
        Route(TAGGING, tags, methods=["POST"]),
        Route("/events", changes),
        Route("/static/base.css", _base_style),
        Mount("/static", StaticFiles(directory=HERE / "static", packages=[("torchdoctor", "show/static")])),
    ]
    for page in discover("board.pages", Page).values():
        html, twin = _both(page, board, language)
        routes += [Route(f"/{page.name}", html), Route(f"/{page.name}.json", twin)]
        if page.name == "runs":
            routes.append(Route("/", html))
    guard = Middleware(Guard, token=token, hosts=hosts, cookie=cookie)
    return Starlette(routes=routes, middleware=[guard, Middleware(GZipMiddleware, compresslevel=3)], lifespan=lifespan)


def _both(page: Page, board: Board, language: str) -> tuple[Answer, Answer]:
    """The page as HTML and as JSON. Plain functions, so that reading a file keeps no other request waiting."""

    def html(request: Request) -> Response:
        asked = replace(_asked(request, language), patient=False)
        made, status = _made(page, board, asked)
        name = "error" if status >= 400 else page.name
        text = _templates().get_template(f"{name}.html.jinja").render(
            made, made=made, t=asked.texts, here=page.name, languages=LANGUAGES, again=request.url, board=board
        )  # fmt: skip
        response = HTMLResponse(text, status)
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(LANGUAGE, asked.texts.language, samesite="strict")
        return response

    def twin(request: Request) -> Response:
        made, status = _made(page, board, _asked(request, language))
        drawn = {"charts": made.pop("charts")} if "charts" in made else {}  # large, and plain already
        return JSONResponse({**jsonable(made), **drawn}, status)

    return html, twin


def _made(page: Page, board: Board, asked: Asked) -> tuple[dict[str, Any], int]:
    try:
        return page.make(board, asked), 200
    except NoSuchRun as error:
        return {"error": str(error)}, 404
    except BadRun as error:
        return {"error": str(error)}, 422


def _asked(request: Request, language: str) -> Asked:
    given = request.query_params
    words = {key: value for key, value in given.items() if key not in ("at", "lang")}
    return Asked(tuple(given.getlist("at")[:MOST]), words, _texts(request, language))


def _texts(request: Request, language: str) -> Texts:
    """By the address, else by an earlier choice, else by the one who started the board, else by the browser."""
    wanted = (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE, ""), language)
    header = request.headers.get("accept-language", DEFAULT)
    return texts(next((name for name in wanted if name in LANGUAGES), "") or preferred(header))


@cache
def _templates() -> Environment:
    """Those of the board, and pieces that pages from disk have too."""
    both = ChoiceLoader([PackageLoader("torchdoctor.board"), PackageLoader("torchdoctor", "show")])
    return environment().overlay(loader=both)


def _base_style(request: Request) -> Response:
    """What the board shares with reports: written for pages that hold all they need, here as a file of its own."""
    shared = (HERE.parent / "show" / "style.html.jinja").read_text("utf-8")
    css = re.search(r"<style>(.*)</style>", shared, re.DOTALL)
    return Response(css[1] if css else "", media_type="text/css")
