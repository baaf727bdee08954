"""cure.json says at any time what a cure is doing and what it has come to; the board shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stopped import experiment

from torchdoctor.cures.cure import cure
from torchdoctor.cures.progress import Progress
from torchdoctor.cures.shelf import Shelf
from torchdoctor.experiment import Experiment, Log
from torchdoctor.parts import Parts
from torchdoctor.train.loop import fit


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "cure.json").read_text("utf-8"))
    return found


def sick() -> Experiment:
    return replace(experiment(), epochs=4)


def test_it_is_written_as_the_cure_goes_and_holds_what_is_known_by_then(tmp_path: Path) -> None:
    folder = tmp_path / "cure"
    seen: list[dict[str, Any]] = []

    def look(progress: Progress) -> None:
        if (folder / "cure.json").is_file():
            seen.append(read(folder))
            assert progress.what in seen[-1]["reason"] and progress.why in seen[-1]["reason"]

    found = cure(experiment(), folder=folder, report_progress=look)

    assert {told["verdict"] for told in seen} == {"under way"}
    assert seen[0]["report"]["findings"] == [] and seen[0]["races"] == []
    assert [f["name"] for f in seen[-1]["report"]["findings"]] == [f.name for f in found.report]
    assert [len(told["races"]) for told in seen] == sorted(len(told["races"]) for told in seen)
    assert len(seen[-1]["races"]) >= 1 and seen[-1]["before"]["mean"] == found.before.mean
    assert read(folder) == json.loads(found.to_json())


@pytest.mark.parametrize(
    ("end", "said"), [(KeyboardInterrupt(), "It was interrupted."), (MemoryError("no room"), "MemoryError: no room.")]
)
def test_what_ends_before_there_is_a_verdict_says_so(end: BaseException, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "cure"

    def stop(progress: Progress) -> None:
        if progress.stage == "baseline":
            raise end

    with pytest.raises(type(end)):
        cure(sick(), folder=folder, report_progress=stop)
    assert read(folder)["verdict"] == "stopped"
    assert read(folder)["reason"].startswith(said)


def test_ctrl_c_in_a_race_leaves_a_whole_cure_that_can_be_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "cure"

    def stop(progress: Progress) -> None:
        if progress.stage == "race":
            raise KeyboardInterrupt

    cure(sick(), folder=folder, budget="2x", report_progress=stop)
    assert read(folder)["interrupted"] and read(folder)["verdict"] == "not proven"

    whole = cure(sick(), folder=folder, budget="2x", resume=True)
    assert read(folder) == json.loads(whole.to_json()) and not whole.interrupted


def test_the_board_shows_a_cure_that_is_under_way_with_what_is_tried(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="the board needs the extra `board`")
    from torchdoctor.board.listing import listed
    from torchdoctor.board.opened import Board, cure_of

    shown: list[tuple[str, bool]] = []

    def look(progress: Progress) -> None:
        if progress.stage == "race":
            board = Board(tmp_path)
            told = cure_of(board.place("cure"))["reason"]
            shown.append((listed(board)["cure"]["verdict"], progress.what in told))

    def loop(parts: Parts, log: Log) -> None:
        fit(parts, log)

    cure(replace(sick(), fit=loop, epochs=2), folder=tmp_path / "cure", budget="1x", seeds=2, report_progress=look)

    assert set(shown) == {("under way", True)}


def test_a_patch_of_before_does_not_outlive_its_fix(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cure")
    shelf.write({"cure.json": "{}", "fix.patch": "--- a\n"})
    shelf.write({"cure.json": "{}", "fix.patch": ""})

    assert [p.name for p in (tmp_path / "cure").iterdir()] == ["cure.json"]
