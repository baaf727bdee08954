"""Who may read the board: a browser on this machine that was given its token, and nothing another site sends.

Checked on every request, static files too. All of the board is read by GET; the one thing a request can change, the
tags of a run, needs the token, and a browser that says it comes from the board itself.
May not: know a page.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TAGGING = "/tags"
LONGEST = 8_000  # characters of a query: twenty long names of runs
HEADERS = {
    # Nothing is fetched from elsewhere, no script or style stands in a page, nobody may frame one.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all a browser would not say that a form is the board's own
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# The page that takes the token sends the browser on by itself: a redirect would count as coming from where the link to
# it stood (a mail, a notebook), and be refused; and the token must not stay in the address bar.
ENTERED = """<!doctype html><title>torchdoctor</title><meta http-equiv="refresh" content="0; url=/">
<link rel="icon" href="/static/icon.svg"><a href="/">torchdoctor</a>"""


@dataclass(frozen=True)
class Guard:
    """ASGI middleware. token: "" lets everyone in. hosts: the names it may be asked by; "*" any."""

    app: ASGIApp
    token: str
    hosts: tuple[str, ...]
    cookie: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        request = Request(scope)
        await (self._answer(request) or self.app)(scope, receive, send_guarded)

    def _answer(self, request: Request) -> Response | None:
        """What to say instead of the page; None where all is well."""
        writing = request.method == "POST" and request.url.path == TAGGING and self.token
        if request.method not in ("GET", "HEAD") and not writing:
            return PlainTextResponse("The board is only read.\n", 405, {"allow": "GET, HEAD"})
        if len(request.url.query) > LONGEST:
            return PlainTextResponse("The address is too long.\n", 414)
        if "*" not in self.hosts and _host(request) not in self.hosts:
            return PlainTextResponse("The board does not go by this name.\n", 421)
        given = request.query_params.get("token")
        if given is not None and self._is(given) and not writing:  # from wherever: who knows the token was given it
            return self._entered()
        if _from_elsewhere(request) or (writing and "origin" not in request.headers):
            return PlainTextResponse("Requests from other sites are not answered.\n", 403)
        if self.token and not self._is(request.cookies.get(self.cookie, "")):
            return PlainTextResponse("Open the address that `torchdoctor board` printed, with its token.\n", 403)
        return None

    def _is(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token.encode())

    def _entered(self) -> Response:
        response = HTMLResponse(ENTERED)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
        return response


def names_of(host: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """The names that a board listening on `host` may be asked by. One that listens everywhere cannot know them."""
    everywhere = host in ("0.0.0.0", "::", "")
    return ("*",) if everywhere else ("127.0.0.1", "localhost", "::1", host.lower(), *more)


def _host(request: Request) -> str:
    """Without the port. A page that had its name pointed at this machine (DNS rebinding) still asks by its own name."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _from_elsewhere(request: Request) -> bool:
    """By what browsers say of a request; those too old to say it send the cookie with none of theirs all the same."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
