"""Finds the English that is left in a page of another language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from torchdoctor.discover import discover
from torchdoctor.fixes.fix import Fix
from torchdoctor.judge.rule import Rule
from torchdoctor.record.signal import Signal
from torchdoctor.show.texts import texts

WORD = re.compile(r"[A-Za-z][\w./-]*[A-Za-z]")  # of two letters or more
SPOKEN = ("alt", "title", "aria-label", "placeholder")  # attributes that people read
VOID = frozenset({"meta", "br", "img", "path", "rect", "link", "input", "hr"})
APART = frozenset({"script", "style", "code", "pre"})  # of no language


class Words(HTMLParser):
    """Words of text and of attributes, without what is marked as English and without code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.apart: list[bool] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        apart = any(self.apart[-1:]) or tag in APART or given.get("lang") == "en"
        if not apart:
            self.said += [given[name] or "" for name in SPOKEN if name in given]
        if tag not in VOID:
            self.apart.append(apart)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.apart.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.apart[-1:]):
            self.said.append(data)


def english_in(page: str, names: Iterable[str] = ()) -> set[str]:
    """The places of a page that hold an English word. names: words of the run itself, of no language.

    Names of rules, fixes and signals are no words of a language, nor is what the Chinese catalogue itself writes in
    Latin letters (ROC, IoU).
    """
    return {said.strip() for said in Words(page).said if not set(WORD.findall(said)) <= _known(names)}


def english_among(lines: Iterable[str], names: Iterable[str] = ()) -> set[str]:
    """The same of lines of a terminal."""
    return {line.strip() for line in lines if not set(WORD.findall(line)) <= _known(names)}


def _known(names: Iterable[str]) -> set[str]:
    units = [*discover("rules", Rule), *discover("fixes", Fix), *discover("signals", Signal)]
    codes = [rule.code for rule in discover("rules", Rule).values()]
    chinese = [
        word
        for text in [*texts("zh").words.values(), *texts("zh").findings.values()]
        for word in WORD.findall(re.sub(r"\{.*?\}", "", text))
    ]
    return {
        "torchdoctor",
        "JSON",
        "PCA",
        "t-SNE",
        *units,
        *codes,
        *chinese,
        *(w for name in names for w in WORD.findall(name)),
    }
