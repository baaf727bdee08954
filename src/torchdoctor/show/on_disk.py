"""Pages that open from disk: no server, nothing fetched, pictures drawn by a library that stands in the page.

May not: know a page, write files.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from torchdoctor.show.charts.option import Option
from torchdoctor.show.remedy import call, code
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import count, number, place_of, printable, sentence

STATIC = Path(__file__).parent / "static"
LIBRARY = "echarts-6.1.0.min.js"
# What stands behind the drawing script, in a module of its own on the board.
START = 'draw(JSON.parse(document.getElementById("charts").textContent));\n'


def rendered(template: str, charts: Mapping[str, Option] | None = None, *, t: Texts, **values: Any) -> str:
    """The page as HTML, in the words of `t`; every page has a `title`. charts: {name: option} of what the template
    marks a place for. Only our own scripts run in it, by their hashes: a name that were shown as it is could still do
    nothing."""
    drawn = dict(charts or {})
    made = _scripts(bool(drawn))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src " + (
        " ".join(map(_hash, made)) or "'none'"
    )
    return environment().get_template(template).render(values, charts=drawn, t=t, scripts=made, policy=policy)


@cache
def environment() -> Environment:
    """Templates of this folder, with the words that all of them use."""
    made = Environment(loader=PackageLoader("torchdoctor", "show"), autoescape=True, undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters |= {"number": number, "count": count, "printable": printable, "place": place_of, "call": call}
    made.filters |= {"code": code, "sentence": sentence}
    return made


@cache
def _scripts(drawing: bool) -> tuple[str, ...]:
    """The colours of day and night; and where something is drawn, the library and what hands it the options."""
    names = ("theme.js", LIBRARY, "charts.js") if drawing else ("theme.js",)
    found = [(STATIC / name).read_text("utf-8") for name in names]
    return (*found[:-1], found[-1] + START) if drawing else tuple(found)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
