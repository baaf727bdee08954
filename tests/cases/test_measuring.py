"""A fast part of the benchmark: five faulty programs are found out, five healthy recipes are left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases import data, measure, records
from cases.run import Job, main, measured
from cases.table import Row, by_rule, markdown, totals

FAULTY = (
    "gradients_never_cleared",
    "two_losses_cleared",
    "softmax_after_convolutions",
    "only_the_head_is_optimised",
    "squeezed_forecast",
)
HEALTHY = ("much_dropout", "accumulation", "label_smoothing", "sparse_embeddings", "thirty_flowers")


@pytest.fixture(autouse=True)
def kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "KEPT", tmp_path)
    monkeypatch.setattr("cases.run.KEPT", tmp_path)


@pytest.mark.parametrize("name", FAULTY)
def test_the_fault_is_the_first_cause_that_is_named(name: str) -> None:
    row = measured(Job("faulty", name, 0))
    assert row.causes[:1] and row.causes[0] in row.right
    assert not row.crashed


@pytest.mark.parametrize("name", ["buckets_of_length", "cold_days"])
def test_a_recipe_whose_data_are_not_here_is_skipped_wherever_it_asks_for_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (data, records):
        monkeypatch.setattr(module, "SHARED", tmp_path)
    row = measured(Job("healthy", name, 0))
    assert row.skipped and not row.crashed


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_on_a_healthy_recipe(name: str) -> None:
    row = measured(Job("healthy", name, 0))
    assert row.found == () and not row.crashed


def test_a_kept_recording_gives_the_same_row(tmp_path: Path) -> None:
    first = measured(Job("faulty", "gradients_never_cleared", 0))
    files = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("signals.db")}
    second = measured(Job("faulty", "gradients_never_cleared", 0))
    assert second == first
    assert files and files == {f: f.stat().st_mtime_ns for f in tmp_path.rglob("signals.db")}


def test_the_command_writes_page_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "trend_line", "--faulty", "--seeds", "1", "--jobs", "1"]) == 0
    assert "trend_line" in capsys.readouterr().out
    assert (tmp_path / "table.md").is_file() and (tmp_path / "table.json").is_file()


def test_totals_count_runs_and_names() -> None:
    good = Row("a", 0, (("x",),), found=("x", "y"), causes=("x",), place=True)
    late = Row("b", 0, (("x", "z"), ("w",)), found=("v", "z"), causes=("v", "z"))
    none = Row("c", 0, (("x",),))
    quiet, loud = Row("d", 0), Row("e", 0, found=("v",), causes=("v",))
    sums = totals([good, late, none], [quiet, loud])
    assert sums["detection"] == pytest.approx(2 / 3)
    assert sums["first cause right"] == pytest.approx(1 / 3)
    assert sums["in first three"] == pytest.approx(2 / 3)
    assert sums["precision"] == pytest.approx(2 / 3)
    assert sums["recall"] == pytest.approx(2 / 4)
    assert sums["healthy runs with an alarm"] == pytest.approx(1 / 2)
    assert by_rule([good, late, none], [quiet, loud])["v"] == {
        "right": 0,
        "missed": 0,
        "wrong": 1,
        "seen": 0,
        "healthy": 1,
    }
    assert "| a | 0 |" in markdown([good], [quiet], [Row("f", 0, skipped="no data")])
