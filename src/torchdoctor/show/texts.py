"""The words of pages, reports and the terminal, one catalogue a language. What the rules say is English; see `said` for
how far it is told in another language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from torchdoctor.errors import BadRecipe, did_you_mean

LANGUAGES = {"en": "English", "zh": "中文"}
DEFAULT = "en"


@dataclass(frozen=True)
class Texts:
    """words: key -> text with {places}. findings: rule -> what it finds, in general words; empty in English, where the
    rules speak for themselves."""

    language: str
    words: Mapping[str, str]
    findings: Mapping[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of that key with its places filled in."""
        return self.words[key].format(**values)

    def count(self, thing: str, n: int) -> str:
        """1 rule, 2 rules: the text `number_of.thing` with {n}, its forms for one and for more parted by a bar; a
        language that knows no plural has one form."""
        one, _, more = self.words[f"number_of.{thing}"].partition("|")
        return (one if n == 1 or not more else more).format(n=n)

    def word(self, key: str) -> str:
        """A name of ours (a severity, a state, a signal) in this language; as it is where there is none."""
        return self.words.get(key, key.partition(".")[2] or key)

    def said(self, rule: str) -> str:
        """What the rule's findings mean, in a sentence without numbers; "" where the language has none.

        The message itself, with its numbers and names, is shown beside it in English: a sentence taken apart and put
        together by machine would sooner or later say something else than the rule did.
        """
        return self.findings.get(rule, "")


def spoken(language: str) -> Texts:
    """The catalogue of a language that a person asked for. Raises BadRecipe where there is none."""
    if language not in LANGUAGES:
        known = " or ".join(LANGUAGES)
        raise BadRecipe(f"The language {language!r} is not spoken here: {known}. {did_you_mean(language, LANGUAGES)}")
    return texts(language)


@cache
def texts(language: str) -> Texts:
    """The catalogue of a language; English for one that is not there."""
    name = language if language in LANGUAGES else DEFAULT
    found = yaml.safe_load(files("torchdoctor.show").joinpath("texts", f"{name}.yaml").read_text("utf-8"))
    return Texts(name, found["words"], found.get("findings") or {})


def preferred(header: str) -> str:
    """The first language of an Accept-Language header that there is a catalogue of."""
    for entry in header.split(",")[:20]:
        name = entry.partition(";")[0].strip().partition("-")[0].lower()
        if name in LANGUAGES:
            return name
    return DEFAULT
