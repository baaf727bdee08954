"""The programs that nothing was fitted on: they load, stand apart, and never reach what confidence is counted from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from cases import likelihoods, measure
from cases.case import Case, Healthy, Program, faulty_cases, file_of, healthy_cases
from cases.data import Absent
from cases.run import Job, main, measured
from torchdoctor.parts import Parts
from torchdoctor.probes.batch import as_batch

NAMES = Path(__file__).parents[3] / "shared" / "design" / "faults.md"
FAULTY, HEALTHY = faulty_cases(unseen=True), healthy_cases(unseen=True)


def built(program: Program) -> Parts:
    try:
        return program().build(0)
    except Absent as why:
        pytest.skip(str(why))


@pytest.fixture
def kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measure, "KEPT", tmp_path)
    monkeypatch.setattr("cases.run.KEPT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", FAULTY, ids=lambda c: c.name)
def test_an_unseen_faulty_program_and_its_twin_load_and_take_a_batch(case: Case) -> None:
    for program in (case.faulty, case.fixed):
        parts = built(program)
        batch = as_batch(next(iter(parts.train)))
        assert parts.loss_fn(parts.model(*batch.inputs), batch.target).ndim == 0
    known = {name for name, _ in (*parts.model.named_modules(), *parts.model.named_parameters())}
    assert set(case.where or ()) <= known


@pytest.mark.parametrize("case", HEALTHY, ids=lambda c: c.name)
def test_an_unseen_healthy_recipe_loads_and_gives_a_finite_loss(case: Healthy) -> None:
    parts = built(case.experiment)
    batch = as_batch(next(iter(parts.train)))
    assert torch.isfinite(parts.loss_fn(parts.model(*batch.inputs), batch.target))


def test_no_name_is_used_twice() -> None:
    names = [c.name for c in (*FAULTY, *HEALTHY, *faulty_cases(), *healthy_cases())]
    assert sorted(names) == sorted(set(names))


def test_unseen_programs_have_files_of_their_own_and_one_or_two_causes() -> None:
    assert all(file_of("faulty", c.name, unseen=True).is_file() and 1 <= len(c.faults) <= 2 for c in FAULTY)
    assert all(file_of("healthy", c.name, unseen=True).is_file() for c in HEALTHY)


def test_unseen_faults_are_names_of_the_vocabulary() -> None:
    if not NAMES.is_file():
        pytest.skip("../shared/design/faults.md, the list of fault names, is absent")
    known = set(re.findall(r"^\| ([a-z-]+) \|", NAMES.read_text("utf-8"), re.MULTILINE))
    assert {name for case in FAULTY for names in case.truths() for name in names} <= known


def test_they_are_measured_and_kept_apart_from_what_confidence_is_counted_from(kept_elsewhere: Path) -> None:
    assert main(["--unseen", "--only", "bends_forgotten", "--faulty", "--seeds", "1", "--jobs", "1"]) == 0
    assert (kept_elsewhere / "unseen" / "table.json").is_file()
    assert (kept_elsewhere / "unseen" / "faulty" / "bends_forgotten" / "0").is_dir()
    assert not (kept_elsewhere / "table.json").exists()
    assert measure.HERE.parent / "build" / "cases" / "table.json" == likelihoods.TABLE


def test_an_unseen_program_is_not_found_among_the_others(kept_elsewhere: Path) -> None:
    with pytest.raises(StopIteration):
        measured(Job("faulty", "bends_forgotten", 0))


def test_the_page_of_the_tuned_cases_cannot_be_written_from_unseen_ones(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--unseen", "--write", str(tmp_path / "page.md")])
    assert not list(tmp_path.iterdir())
