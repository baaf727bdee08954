"""`torchdoctor diagnose` on real run folders, good and bad."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from torchdoctor.discover import discover
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import Writer

Cli = Callable[..., tuple[int, str, str]]
FAULTY = next(iter(discover("rules", Rule)["missing-zero-grad"].examples("FIRES").values()))
HEALTHY = Trace.of(loss=np.geomspace(2.3, 0.1, 300) * np.random.default_rng(0).lognormal(0, 0.05, 300))
NO_TORCH = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Absent())
from torchdoctor.cli.main import main
main(sys.argv[1:])
"""


def recorded(trace: Trace, folder: Path) -> Path:
    writer = Writer(folder)
    for signal, group in trace.data.items():
        for subject, series in group.items():
            writer.append(signal, (subject,), series.steps, series.values[:, None])
    for name, value in trace.facts.items():
        writer.fact(name, value)
    writer.close()
    return folder


def test_a_faulty_run_exits_with_1_and_prints_the_finding(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("diagnose", recorded(FAULTY, tmp_path / "run"))
    assert code == 1 and err == ""
    assert "error[missing-zero-grad] S01: " in out


def test_a_healthy_run_exits_with_0_and_says_what_was_silent(cli: Cli, tmp_path: Path) -> None:
    code, out, _ = cli("diagnose", recorded(HEALTHY, tmp_path / "run"))
    assert code == 0
    assert "could not run" in out and "quiet" in out


def test_fail_on_moves_the_border(cli: Cli, tmp_path: Path) -> None:
    hint = discover("rules", Rule)["non-finite-loss"].examples("FIRES")["once in a hundred steps, and gone again"]
    run = recorded(hint, tmp_path / "run")
    assert cli("diagnose", run)[0] == 0
    assert cli("diagnose", run, "--fail-on", "error")[0] == 0
    assert cli("diagnose", run, "--fail-on", "info")[0] == 1


def test_json_is_all_of_standard_output_and_reads_back(cli: Cli, tmp_path: Path) -> None:
    code, out, _ = cli("diagnose", recorded(FAULTY, tmp_path / "run"), "--json")
    assert code == 1
    assert set(json.loads(out)) == {"title", "findings", "quiet", "not_run", "crashed"}
    finding = Report.from_json(out).findings[0]
    assert finding.name == "missing-zero-grad" and finding.alarm


def test_html_is_written_and_mentioned_beside_the_result(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    _, out, err = cli("diagnose", recorded(FAULTY, tmp_path / "run"), "--html", page, "--json")
    json.loads(out)
    assert err == f"Report: {page}\n"
    assert "missing-zero-grad" in page.read_text("utf-8")


def test_no_torch_is_needed(tmp_path: Path) -> None:
    run = recorded(FAULTY, tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH, "diagnose", run, "--html", tmp_path / "p.html"], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "error[missing-zero-grad]" in done.stdout
    assert "fix: use-own-loop" in done.stdout and "optimizer.zero_grad()" in done.stdout
    assert "missing-zero-grad" in (tmp_path / "p.html").read_text("utf-8")


def no_run(folder: Path) -> None:
    folder.mkdir()


def cut_off(folder: Path) -> None:
    file = recorded(FAULTY, folder) / "signals.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def no_database(folder: Path) -> None:
    folder.mkdir()
    (folder / "signals.db").write_text("hello " * 1000)


def from_the_future(folder: Path) -> None:
    with sqlite3.connect(recorded(FAULTY, folder) / "signals.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (no_run, "holds no run"),
        (cut_off, "damaged or cut off"),
        (no_database, "damaged or cut off"),
        (from_the_future, "newer torchdoctor"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_line(
    cli: Cli, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(tmp_path / "run")
    code, out, err = cli("diagnose", tmp_path / "run")
    assert (code, out) == (2, "")
    assert err.startswith("torchdoctor: ") and err.count("\n") == 1 and says in err


def test_a_page_that_cannot_be_written_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = cli("diagnose", recorded(FAULTY, tmp_path / "run"), "--html", tmp_path / "file" / "page.html")
    assert code == 2 and err.count("\n") == 1 and "Cannot write" in err
