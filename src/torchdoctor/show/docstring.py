"""Take a unit's docstring apart: what it says first, and its titled sections."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping


def apart(doc: str, titles: Iterable[str]) -> tuple[str, Mapping[str, str]]:
    """(the text before the first title, {title: the text below it}), for the titles that are there.

    A title stands on a line of its own, or starts one and ends with a colon; it may be underlined.
    """
    known = {title.lower(): title for title in titles}
    lines: dict[str, list[str]] = {"": []}
    current = ""
    for line in doc.splitlines():
        word, colon, rest = line.strip().partition(":")
        if word.lower() in known and (colon or word == line.strip()):
            current = known[word.lower()]
            lines[current] = [rest.strip()]
        elif not (line.strip() and set(line.strip()) <= {"-", "="}):
            lines[current].append(line)
    texts = {title: textwrap.dedent("\n".join(body)).strip() for title, body in lines.items()}
    return texts.pop(""), texts


def summary(doc: str) -> str:
    """The first paragraph on one line."""
    return " ".join(doc.strip().split("\n\n")[0].split())


def gist(doc: str) -> str:
    """The first sentence."""
    return summary(doc).split(". ")[0].rstrip(".") + "."


def paragraphs(text: str) -> list[str]:
    """Each on one line, as prose that may be wrapped anew; a list's entries stay lines of their own."""
    found: list[str] = []
    for block in text.split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        for i, line in enumerate(lines):
            if i and not line.startswith(("- ", "* ")):
                found[-1] += f" {line}"
            else:
                found.append(line)
    return found
