"""A cure that is stopped keeps what it ran, and goes on from there as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from steady import STEADY
from stopped import arms, experiment
from waiting import HANGS, until

from torchdoctor.cures.cure import cure
from torchdoctor.cures.result import Cure
from torchdoctor.errors import BadRun
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.run import Run

PROGRAM = Path(__file__).with_name("stopped.py")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "cure"


@pytest.fixture(scope="module")
def whole(folder: Path) -> Cure:
    return cure(experiment(), folder=folder)


def stopped(folder: Path, how: signal.Signals, after: int) -> subprocess.CompletedProcess[str]:
    """A cure in another process, to which this signal is sent when it has kept that many runs and waits for it."""
    program = f"{STEADY}import runpy; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    command = [sys.executable, "-c", program, str(folder), str(after)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: folder.with_suffix(".waiting").exists() or process.poll() is not None)
        process.send_signal(how)
        out, err = process.communicate(timeout=HANGS)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def said(found: Cure) -> Any:
    """All that does not hang on the clock, to the last bit."""
    races = [(r.name, r.with_it, r.without, r.share, r.effect, r.proven) for r in found.races]
    return races, found.verdict, found.reason, found.fix, found.before, found.after, round(found.cost, 9)


def test_every_arm_of_a_cure_is_a_run_with_its_parent_fix_and_seed(whole: Cure, folder: Path) -> None:
    assert whole.verdict == "cured"
    told = [Run(path).facts for path in arms(folder)]

    assert {fact["parent"] for fact in told} == {str(folder)}
    assert told[1]["fix"] == "unchanged" and {fact["seed"] for fact in told[1:]} >= {0, 1, 2}
    final = next(f for f in told if f["fix"] == " + ".join(r.fix for r in whole.fix) and f.get("share") == 1.0)
    assert final["score"] == whole.after.by_seed[final["seed"]]
    assert [r["fix"] for r in final["remedies"]] == [r.fix for r in whole.fix]
    assert diagnose(arms(folder)[1]).findings


def test_what_came_out_lies_beside_them_and_the_fix_as_a_patch_of_the_program(whole: Cure, folder: Path) -> None:
    assert json.loads((folder / "cure.json").read_text("utf-8"))["fix"][0]["fix"] == whole.fix[0].fix
    patch = (folder / "fix.patch").read_text("utf-8")

    assert "-        return Parts(model, loss, torch.optim.SGD(model.parameters(), lr=1e-5)" in patch
    assert "stopped.py" in patch and not whole.by_hand


def test_a_finished_cure_is_read_again_without_training(whole: Cure, folder: Path) -> None:
    before = arms(folder)
    again = cure(experiment(), folder=folder, resume=True)

    assert said(again) == said(whole)
    assert arms(folder) == before


def test_a_larger_budget_goes_on_where_the_smaller_ended(whole: Cure, folder: Path) -> None:
    kept = {path: (path / "signals.db").read_bytes() for path in arms(folder)}
    more = cure(experiment(), folder=folder, resume=True, budget="5x")

    assert len(more.races) >= len(whole.races) and more.cost >= whole.cost
    assert {path: (path / "signals.db").read_bytes() for path in kept} == kept


def test_what_was_killed_goes_on_and_ends_as_it_would_have(whole: Cure, tmp_path: Path) -> None:
    folder = tmp_path / "cure"
    assert stopped(folder, signal.SIGKILL, after=6).returncode == -signal.SIGKILL
    kept = {path: (path / "signals.db").read_bytes() for path in arms(folder)}
    assert len(kept) == 6
    resumed = cure(experiment(), folder=folder, resume=True)

    assert said(resumed) == said(whole)
    assert len(arms(folder)) > len(kept)
    assert {path: (path / "signals.db").read_bytes() for path in kept} == kept


def test_ctrl_c_tells_what_was_proven_and_the_rest_can_be_made_later(whole: Cure, tmp_path: Path) -> None:
    folder = tmp_path / "cure"
    done = stopped(folder, signal.SIGINT, after=6)
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert told["interrupted"] and "interrupted" in told["reason"]
    assert told["report"]["findings"]
    assert said(cure(experiment(), folder=folder, resume=True)) == said(whole)


def test_the_arms_of_another_experiment_are_not_taken(whole: Cure, folder: Path) -> None:
    with pytest.raises(BadRun, match="another experiment"):
        cure(replace(experiment(), epochs=7), folder=folder, resume=True)


def test_a_cure_is_neither_written_over_nor_resumed_where_there_is_none(
    whole: Cure, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadRun, match="resume=True"):
        cure(experiment(), folder=folder)
    with pytest.raises(BadRun, match="no cure to go on with"):
        cure(experiment(), folder=tmp_path / "empty", resume=True)
