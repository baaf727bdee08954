"""Imports point one way. The list is the architecture; a new folder takes its place in it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import HANGS

import torchdoctor

ROOT = Path(torchdoctor.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LAYERS = (
    ("errors",),
    ("discover", "extra"),
    ("judge",),
    ("rules",),
    ("record",),
    ("signals",),
    ("parts",),
    ("experiment",),
    ("data", "models", "losses"),
    ("train",),
    ("recipe",),
    ("evaluate",),
    ("explain",),
    ("examine",),
    ("probes",),
    ("fixes",),
    ("cures",),
    ("show",),
    ("board",),
    ("connect",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
# The conveniences .show(), .html(), .to_frame() and what notebooks ask for import what draws them when they are called:
# see docs/why.md.
UPWARD = dict.fromkeys(("judge/report.py", "judge/finding.py", "record/run.py", "cures/result.py"), "show")
NO_TORCH = ("errors", "discover", "judge", "rules", "parts", "experiment")

by_file = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))


def layer_of(file: Path) -> str:
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(file: Path, within_functions: bool) -> Iterator[str]:
    """Modules a file imports when it is loaded, or those its functions import; what only types need does not count."""
    for node, within in imports(ast.parse(file.read_text("utf-8"))):
        if within == within_functions:
            named = [alias.name for alias in node.names]
            if isinstance(node, ast.Import):
                yield from named
            elif named != ["__version__"]:  # the one thing that the package root itself defines
                yield node.module or ""


def imports(node: ast.AST, within: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """(import, is it inside a function) of all under `node`, but for those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            assert not getattr(child, "level", 0), "a relative import hides where a thing comes from"
            yield child, within
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from imports(child, within or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def ours(modules: Iterator[str]) -> set[str]:
    return {m for m in modules if m.split(".")[0] == "torchdoctor"}


def points_up(file: Path, module: str) -> bool:
    mine, theirs = layer_of(file), module.partition(".")[2].partition(".")[0]
    return mine != theirs and RANK.get(theirs, -1) >= RANK[mine]


@by_file
def test_every_file_has_a_place(file: Path):
    assert layer_of(file) in RANK or file == ROOT / "__init__.py"


@by_file
def test_nobody_inside_imports_the_package_root(file: Path):
    for within in (False, True):
        assert "torchdoctor" not in ours(imported(file, within)), "import the module that defines it"


@by_file
def test_imports_point_down(file: Path):
    if file != ROOT / "__init__.py":
        assert [m for m in ours(imported(file, within_functions=False)) if points_up(file, m)] == []


def test_only_what_shows_a_report_or_a_cure_is_imported_upwards_and_late():
    late = {
        (str(file.relative_to(ROOT)), module.split(".")[1])
        for file in FILES
        if file != ROOT / "__init__.py"
        for module in ours(imported(file, within_functions=True))
        if points_up(file, module)
    }
    assert late <= set(UPWARD.items()) and ("judge/report.py", "show") in late


def test_no_module_reaches_itself_through_its_imports():
    graph = {dotted(file): ours(imported(file, within_functions=False)) for file in FILES}
    left = set(graph)
    while free := {module for module in left if not graph[module] & left - {module}}:
        left -= free
    assert not left, f"a circle of imports among {sorted(left)}"


def dotted(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@by_file
def test_what_must_run_without_torch_does_not_import_it(file: Path):
    if layer_of(file) in NO_TORCH:
        heavy = {"torch", "torchvision", "sklearn", "scipy", "pydantic"}
        assert not {m.split(".")[0] for m in imported(file, within_functions=False)} & heavy


@by_file
def test_rules_see_a_trace_and_nothing_else(file: Path):
    if layer_of(file) == "rules":
        for within in (False, True):
            foreign = {m for m in ours(imported(file, within)) if m.split(".")[1] not in ("judge", "rules", "errors")}
            assert not foreign


def fresh_python(code: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stderr


def test_judging_a_recorded_run_never_imports_torch(tmp_path: Path):
    record = f"""
import numpy as np
from pathlib import Path
from torchdoctor.record.run import Writer
writer = Writer(Path({str(tmp_path / "run")!r}))
writer.append("loss", ("",), np.arange(100), np.full((100, 1), 2.3))
writer.append("grad_norm", ("",), np.arange(100), np.ones((100, 1)))
writer.commit(); writer.close()
"""
    judge = f"""
import sys
import torchdoctor as td
report = td.diagnose({str(tmp_path / "run")!r})
assert [f.name for f in report] == ["stalled-loss"], report
assert report.to_json()
assert "torch" not in sys.modules, "torch was imported"
"""
    fresh_python(record + "import sys; assert 'torch' not in sys.modules")
    fresh_python(judge)


def test_importing_the_package_costs_nothing():
    fresh_python(
        "import sys, torchdoctor; heavy = {'torch', 'numpy', 'rich', 'pydantic'} & set(sys.modules); assert not heavy"
    )
