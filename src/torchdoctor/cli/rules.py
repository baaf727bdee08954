"""`torchdoctor rules [NAME]`: all the rules, or the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from torchdoctor.cli.options import AsJson, print_json
from torchdoctor.cli.verb import verb

if TYPE_CHECKING:
    from torchdoctor.judge.rule import Rule


@verb
def rules(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A rule's name or code, for its page.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the rules, or explain one. NAME's page says why it hurts, how it decides and when it is wrong."""
    from torchdoctor.discover import discover
    from torchdoctor.judge.rule import Rule
    from torchdoctor.show.rulebook import print_list, print_page

    every = sorted(discover("rules", Rule).values(), key=lambda rule: rule.code)
    chosen = [_one(name, every)] if name else every
    if as_json:
        found = [_plain(rule) for rule in chosen]
        print_json(found[0] if name else found)
    elif name:
        print_page(chosen[0])
    else:
        print_list(chosen)


def _one(word: str, every: list[Rule]) -> Rule:
    """By name, with hyphens or underscores, or by code. Raises BadUnit with the nearest name."""
    from torchdoctor.errors import BadUnit, did_you_mean

    for rule in every:
        if word.lower().replace("_", "-") == rule.name or word.upper() == rule.code:
            return rule
    raise BadUnit(f"No rule is called {word!r}. {did_you_mean(word.lower(), [rule.name for rule in every])}")


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name, "code": rule.code, "place": rule.place, "kind": rule.kind, "severity": str(rule.severity),
        "preview": rule.preview, "stages": list(rule.stages), "needs": list(rule.needs),
        "explains": list(rule.explains), "options": dict(rule.options), "doc": rule.doc,
    }  # fmt: skip
