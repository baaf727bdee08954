from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from torchdoctor.discover import discover
from torchdoctor.judge.rule import SECTIONS, Rule

Cli = Callable[..., tuple[int, str, str]]
RULES = discover("rules", Rule)


def test_the_list_has_a_line_for_every_rule(cli: Cli) -> None:
    code, out, _ = cli("rules")
    assert code == 0
    for rule in RULES.values():
        assert sum(line.split()[:2] == [rule.code, rule.name] for line in out.splitlines()) == 1
    assert f"{len(RULES)} rules" in out


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_page_of_a_rule_has_all_its_sections_and_examples(cli: Cli, name: str) -> None:
    code, out, _ = cli("rules", name)
    assert code == 0 and "\x1b" not in out
    lines = [line.strip() for line in out.splitlines()]
    for title in (*SECTIONS, "Fires on", "Stays quiet on"):
        assert title in lines
    for kind in ("FIRES", "QUIET"):
        assert set(RULES[name].examples(kind)) <= set(lines)


def test_a_rule_is_found_by_code_and_by_python_name_too(cli: Cli) -> None:
    page = cli("rules", "missing-zero-grad")
    assert cli("rules", "s01") == page == cli("rules", "missing_zero_grad")


def test_a_mistyped_name_brings_the_nearest(cli: Cli) -> None:
    said = "torchdoctor: No rule is called 'missing-zero-gra'. Did you mean 'missing-zero-grad'?\n"
    assert cli("rules", "missing-zero-gra") == (2, "", said)


def test_json_of_one_and_of_all(cli: Cli) -> None:
    every = json.loads(cli("rules", "--json")[1])
    assert [r["code"] for r in every] == sorted(rule.code for rule in RULES.values())
    one = json.loads(cli("rules", "missing-zero-grad", "--json")[1])
    assert one in every
    assert set(one) == {
        "name", "code", "place", "kind", "severity", "preview", "stages", "needs", "explains", "options", "doc"
    }  # fmt: skip
