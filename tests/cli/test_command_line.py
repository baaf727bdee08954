"""The command line as a whole: how it starts, how it ends, and what it says when it is used wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from torchdoctor import errors
from torchdoctor.cli import main as command_line
from torchdoctor.cli.verb import Verb, verb
from torchdoctor.discover import discover

Cli = Callable[..., tuple[int, str, str]]
HEAVY = ("torch", "numpy", "rich", "pydantic", "jinja2", "scipy", "sklearn")


@pytest.fixture
def cli_with(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[[Verb], Cli]:
    def make(extra: Verb) -> Cli:
        monkeypatch.setattr(command_line, "discover", lambda *_: {extra.name: extra})
        return cli

    return make


def test_help_comes_at_once_for_it_imports_little_and_nothing_heavy() -> None:
    code = f"""
import sys
before = len(sys.modules)
from torchdoctor.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print(len(sys.modules) - before, [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, heavy = done.stderr.split(maxsplit=1)
    assert heavy.strip() == "[]"
    assert int(modules) < 400  # 186 where it was written, in 7 to 11 times what a Python takes that does nothing


def test_help_lists_every_verb_with_one_whole_sentence(cli: Cli) -> None:
    code, out, _ = cli("--help")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ") and line.split()}
    for name in discover("cli", Verb):
        assert lines[name].endswith(".") and not lines[name].endswith("...")


@pytest.mark.parametrize("name", sorted(discover("cli", Verb)))
def test_every_verb_has_help_of_its_own_and_json(cli: Cli, name: str) -> None:
    code, out, _ = cli(name, "--help")
    assert code == 0 and f"torchdoctor {name}" in out
    assert "--json" in out or name in ("init", "demo")


def test_version(cli: Cli) -> None:
    assert cli("--version") == (0, "torchdoctor 0.1.0\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("diagnos",), "Did you mean 'diagnose'?"),
        (("diagnose",), "RUN"),
        (("diagnose", "x", "--fail-on", "bad"), "'info', 'warning', 'error'"),
        (("check",), "--config"),
        (("rules", "--no-such"), "--no-such"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_would_be_right(cli: Cli, words: tuple[str, ...], says: str) -> None:
    code, out, err = cli(*words)
    assert code == 2 and out == ""
    assert says in err and "Traceback" not in err


def test_an_error_raised_on_purpose_is_one_line_and_2(cli_with: Callable[[Verb], Cli]) -> None:
    @verb
    def refuse() -> None:
        raise errors.BadParts("The loader is empty.\nGive it samples.")

    assert cli_with(refuse)("refuse") == (2, "", "torchdoctor: The loader is empty. Give it samples.\n")


def test_a_crash_is_one_line_and_3_and_names_the_command_that_shows_where(cli_with: Callable[[Verb], Cli]) -> None:
    @verb
    def crash(path: str) -> None:
        raise ZeroDivisionError("oh")

    code, out, err = cli_with(crash)("crash", "a b")
    assert (code, out) == (3, "")
    assert err == "torchdoctor crashed: ZeroDivisionError: oh (see where: torchdoctor --debug crash 'a b')\n"


def test_debug_may_stand_anywhere_and_shows_the_traceback(cli_with: Callable[[Verb], Cli]) -> None:
    @verb
    def crash() -> None:
        raise ZeroDivisionError("oh")

    for words in (("crash", "--debug"), ("--debug", "crash")):
        code, _, err = cli_with(crash)(*words)
        assert code == 3
        assert "Traceback" in err and 'raise ZeroDivisionError("oh")' in err


def test_what_a_verb_returns_is_the_exit_code(cli_with: Callable[[Verb], Cli]) -> None:
    @verb
    def found() -> int:
        return 1

    assert cli_with(found)("found")[0] == 1


def test_env_prints_versions_and_machine(cli: Cli) -> None:
    code, out, _ = cli("env", "--json")
    found = json.loads(out)
    assert code == 0
    assert {"torchdoctor", "torch", "numpy", "python", "system", "processors", "accelerators"} <= set(found)
    code, text, _ = cli("env")
    assert code == 0 and f"torch  {' ' * 7}{found['torch']}" in text
