"""The documentation runs: generated pages are up to date, and every example is executed as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from steady import STEADY

from torchdoctor.cli.verb import Verb
from torchdoctor.discover import discover
from torchdoctor.show.docs import NOTE, main, stale_pages

DOCS = Path(__file__).parent.parent / "docs"


def test_generated_pages_are_up_to_date() -> None:
    assert list(stale_pages(DOCS)) == [], "run: make docs"


def test_check_fails_on_a_missing_an_edited_and_a_left_over_page_and_writing_mends_them(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0
    page, left_over = tmp_path / "rules" / "missing-zero-grad.md", tmp_path / "fixes" / "of-old.md"
    page.write_text(page.read_text("utf-8") + "edited", "utf-8")
    (tmp_path / "signals.md").unlink()
    left_over.write_text(NOTE)
    assert main([str(tmp_path), "--check"]) == 1
    assert left_over.exists() and page.read_text("utf-8").endswith("edited")
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0
    assert not left_over.exists()


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in DOCS.rglob("*.md")
        for target in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text("utf-8"))
        if not (page.parent / target).is_file()
    ]
    assert broken == []


def test_the_first_page_mentions_every_command() -> None:
    text = (DOCS / "index.md").read_text("utf-8")
    assert [name for name in discover("cli", Verb) if f"torchdoctor {name}" not in text] == []


def blocks(page: str, language: str) -> Iterator[tuple[str, str]]:
    """(the line before it, the block) of each fenced block in that language."""
    text = (DOCS / page).read_text("utf-8")
    yield from re.findall(rf"^([^\n]*)\n\n```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of adding.md, laid out as pip would install it."""
    site = tmp_path_factory.mktemp("site")
    (site / "my_checks").mkdir()
    (site / "my_checks" / "__init__.py").write_text("")
    for name, text in blocks("adding.md", "python"):
        (site / name.strip("`")).write_text(text)
    info = site / "my_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-checks\nVersion: 1.0\n")
    (_, toml), *_ = blocks("adding.md", "toml")
    groups = tomllib.loads(toml)["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in units.items()) for group, units in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return site


def python(site: Path, code: str, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=site)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


CLI = "import sys; from torchdoctor.cli.main import main; main(sys.argv[1:])"


def test_the_rule_of_an_outsider_has_its_page_and_fires_on_its_own_examples(plug_in: Path) -> None:
    assert "X01 blocked-gradients" in python(plug_in, CLI, "rules")
    assert "Stays quiet on" in python(plug_in, CLI, "rules", "blocked-gradients")
    said = python(
        plug_in,
        """
from my_checks.blocked_gradients import FIRES, QUIET, blocked_gradients
from torchdoctor.judge.judge import judge
for trace in FIRES.values():
    judge(trace, [blocked_gradients]).show()
print([judge(trace, [blocked_gradients]).quiet for trace in QUIET.values()])
""",
    )
    assert said.count("warning[blocked-gradients] X01: ") == 2
    assert "torch.optim.SGD(model.parameters(), lr=lr, momentum=0.8, nesterov=True)" in said
    assert said.splitlines()[-1] == "[('blocked-gradients',), ('blocked-gradients',)]"


def test_the_signal_and_the_probe_of_an_outsider_are_recorded(plug_in: Path) -> None:
    said = python(
        plug_in,
        """
import torch
import torchdoctor as td
torch.manual_seed(0)
x, y = torch.randn(64, 4), torch.randint(2, (64,))
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer, loss_fn = torch.optim.SGD(model.parameters(), lr=0.1), torch.nn.CrossEntropyLoss()
batches = [(x, y)]
gain = td.check(model, loss_fn, optimizer, batches).trace.value("noise_gain")
with td.watch(model, optimizer, loss_fn) as watch:
    for _ in range(10):
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
share = dict(watch.trace().each("zero_gradient_share"))
print(0 < gain < 10, sorted(share), all(0 <= s.last < 1 for s in share.values()))
""",
    )
    assert said.strip() == "True ['0.bias', '0.weight', '2.bias', '2.weight'] True"


def test_the_fix_of_an_outsider_changes_parts_and_recipes(plug_in: Path) -> None:
    said = python(
        plug_in,
        """
from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.recipe.schema import Recipe
fix, recipe = resolve(Remedy("use-nesterov")), Recipe.from_dict({})
live = fix.on(recipe.experiment(), momentum=0.5).build(0)
read = recipe.patched(fix.patch(recipe.to_dict(), momentum=0.5)).experiment().build(0)
for parts in (live, read):
    print(parts.optimizer.param_groups[0]["nesterov"], parts.optimizer.param_groups[0]["momentum"])
""",
    )
    assert said == "True 0.5\nTrue 0.5\n"


def test_the_verb_of_an_outsider_is_a_command(plug_in: Path) -> None:
    assert "Count the parameters" in python(plug_in, CLI, "--help")
    (plug_in / "recipe.yaml").write_text(json.dumps({"model": {"name": "mlp"}}))
    assert int(python(plug_in, CLI, "size", "-c", "recipe.yaml")) > 1000


@pytest.mark.parametrize("page", ["index.md"])
def test_examples_of_whole_programs_run_and_print_what_the_page_shows(page: str, tmp_path: Path) -> None:
    programs = [text for _, text in blocks(page, "python")]
    shown = [text for _, text in blocks(page, "text")]
    assert programs and len(programs) <= len(shown)
    for program, text in zip(programs, shown):
        done = subprocess.run(
            [sys.executable, "-c", f"{STEADY}{program}"], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        named = re.compile(r"(?:error|warning|info)\[[\w-]+\] \w+")
        assert named.findall(done.stdout + done.stderr) == named.findall(text)
