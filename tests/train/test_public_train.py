"""td.train in one line: what comes back, what functions of one's own see, and what is refused before there is a run."""

from __future__ import annotations

import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from waiting import HANGS

import torchdoctor as td
from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadCheckpoint, BadParts
from torchdoctor.train import checkpoint
from torchdoctor.train.progress import Meter, Progress
from torchdoctor.train.standing import Standing
from torchdoctor.train.table import Table


def build(seed: int = 0, *, scheduler: object = None, n: int = 64) -> td.Parts:
    torch.manual_seed(seed)
    x = torch.randn(n, 6)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train, val = TensorBatches(x[:48], y[:48], 8, True, seed), TensorBatches(x[48:], y[48:])
    made = scheduler(optimizer) if callable(scheduler) else None
    return td.Parts(model, nn.CrossEntropyLoss(), optimizer, train, val, made)


def experiment(epochs: int = 3, **kwargs: object) -> td.Experiment:
    return td.Experiment(lambda seed: build(seed, **kwargs), epochs=epochs, name="small")


def test_one_line_trains_and_the_run_says_how_it_went(tmp_path: Path):
    run = td.train(experiment(), tmp_path / "run")
    assert set(run.history) == {"epoch", "train_loss", "train_score", "val_loss", "val_score"}
    assert run.history.epochs == 3 and run.history["epoch"] == [0, 1, 2]
    assert run.report.quiet and (tmp_path / "run" / "findings.json").read_text() == run.report.to_json()
    assert f"val_score {run.history['val_score'][-1]:.4g}" in repr(run) and "\n" not in repr(run)
    assert isinstance(run, td.Trained) and run.model is run.parts.model


def test_the_history_is_a_table_a_frame_and_a_page():
    table = Table({"epoch": [float(n) for n in range(30)], "loss": [1 / (n + 1) for n in range(30)]})
    lines = repr(table).splitlines()
    assert lines[0].split() == ["epoch", "loss"] and lines[1].split() == ["0", "1"] and "..." in lines[6]
    assert len(lines) == 12 and len({len(line) for line in lines}) == 1
    frame = table.to_frame()
    assert frame.index.name == "epoch" and frame["loss"].tolist() == table["loss"]
    assert "<b>" not in Table({"<b>": [1.0]})._repr_html_() and "&lt;b&gt;" in Table({"<b>": [1.0]})._repr_html_()
    assert repr(Table({})) == "" and Table({"a": [1.0, 2.0], "b": [3.0]}).to_frame().shape == (2, 2)


def test_the_plot_shows_what_the_history_holds(tmp_path: Path):
    run = td.train(experiment(), tmp_path / "run")
    figure = run.plot()
    for axes, kind in zip(figure.axes, ("loss", "score")):
        drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
        assert drawn == {f"{part}_{kind}": run.history[f"{part}_{kind}"] for part in ("train", "val")}
    figure.savefig(tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 5_000
    assert figure._repr_png_().startswith(b"\x89PNG"), "what a notebook shows that has not imported pyplot"


def test_a_notebook_shows_a_trained_run_as_its_curves_and_its_findings(tmp_path: Path):
    run = td.train(experiment(), tmp_path / "run")
    page = run._repr_html_()
    assert "train_score" in page and all(finding.message in unescape(page) for finding in run.report)
    assert "<script" not in page


def test_functions_of_ones_own_see_every_step_and_epoch_and_may_stop(tmp_path: Path):
    losses: list[float] = []
    epochs: list[tuple[int, float]] = []

    def on_epoch(at: Standing) -> None:
        epochs.append((at.epoch, at.numbers["val_score"]))
        if at.epoch == 2:
            at.stop()

    run = td.train(experiment(9), tmp_path / "run", on_step=lambda at: losses.append(float(at.loss)), on_epoch=on_epoch)
    assert len(losses) == 2 * 6 and epochs == list(zip([1, 2], run.history["val_score"]))
    recorded = td.Run(run.folder).trace()["loss"].values
    assert recorded.tolist() == pytest.approx(losses)


def test_the_name_is_the_function_whatever_was_imported_before():
    code = """
import torchdoctor as td
import torchdoctor.train.loop
from torchdoctor.train.score import score
assert callable(td.train) and td.train.__module__ == "torchdoctor.train.run", td.train
from torchdoctor import train
assert train is td.train
from torchdoctor.train.loop import fit
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=HANGS)


def test_a_resumed_run_keeps_the_best_of_before_until_there_is_a_better_one(tmp_path: Path):
    def unmoved(epochs: int) -> td.Experiment:
        def build_still(seed: int) -> td.Parts:
            parts = build(seed)
            parts.optimizer.param_groups[0]["lr"] = 0.0
            return parts

        return td.Experiment(build_still, epochs=epochs)

    td.train(unmoved(1), tmp_path / "run")
    td.train(unmoved(2), tmp_path / "more", resume=tmp_path / "run")
    best = (tmp_path / "run" / "best" / checkpoint.WEIGHTS).read_bytes()
    assert (tmp_path / "more" / "best" / checkpoint.WEIGHTS).read_bytes() == best


def test_a_finished_run_says_what_to_ask_for_instead_of_training_nothing(tmp_path: Path):
    td.train(experiment(2), tmp_path / "run")
    with pytest.raises(BadCheckpoint, match=r"has trained 2 epochs already, and 2 were asked for.*train\.epochs=4"):
        td.train(experiment(2), tmp_path / "again", resume=tmp_path / "run")
    assert not (tmp_path / "again").exists()
    assert td.train(experiment(4), tmp_path / "again", resume=tmp_path / "run").history["epoch"] == [2, 3]


def test_a_run_that_patience_ended_says_how_to_go_on(tmp_path: Path):
    from functools import partial

    from torchdoctor.train.loop import LoopOptions, fit

    def patient(patience: int | None) -> td.Experiment:
        options = LoopOptions(patience=patience, score=lambda *_: 0.5)
        return td.Experiment(build, epochs=9, fit=partial(fit, options=options))

    assert td.train(patient(2), tmp_path / "run").history.epochs == 3
    with pytest.raises(BadCheckpoint, match=r"stopped after epoch 3, 2 epochs after the best.*more than 2"):
        td.train(patient(2), tmp_path / "again", resume=tmp_path / "run")
    assert td.train(patient(4), tmp_path / "more", resume=tmp_path / "run").history["epoch"] == [3, 4]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 30), r"T_max is 30 epochs, and the run has 3"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=50), r"total_steps is 50 steps, and the run has 18"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=7), r"ends after 7 steps, and the run has 18"),
        (lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 9]), r"milestones is 9 epochs"),
    ],
)  # fmt: skip
def test_a_schedule_that_does_not_fit_the_run_is_told_before_there_is_a_run(tmp_path: Path, made, said):
    with pytest.raises(BadParts, match=said) as refused:
        td.train(experiment(3, scheduler=made), tmp_path / "run")
    assert "\n" not in str(refused.value) and not (tmp_path / "run").exists()


def test_a_schedule_that_a_longer_run_would_change_is_not_resumed_silently(tmp_path: Path):
    def cosine(epochs: int) -> td.Experiment:
        return experiment(epochs, scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, epochs))

    td.train(cosine(2), tmp_path / "run")
    with pytest.raises(BadCheckpoint, match=r"made for T_max=2, and this one for 4"):
        td.train(cosine(4), tmp_path / "rest", resume=tmp_path / "run")


def test_a_loop_of_ones_own_cannot_be_given_functions_it_would_not_call(tmp_path: Path):
    own = td.Experiment(build, epochs=1, fit=lambda parts, log: None)
    with pytest.raises(BadParts, match="on_step and on_epoch are for torchdoctor's own loop"):
        td.train(own, tmp_path / "run", on_step=print)


def test_progress_knows_the_share_of_waiting_and_what_it_costs(monkeypatch):
    from torchdoctor.train import progress

    times = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr(progress, "perf_counter", lambda: next(times))
    seen: list[Progress] = []
    meter = Meter(epochs=1, steps_per_epoch=40, report=seen.append)
    for step, waited in ((1, 3.0), (11, 4.0), (21, 8.0)):
        meter.step(step, waited)
    assert seen[-1].data_share == pytest.approx(5 / 20)
    assert seen[-1].cost(360) == (pytest.approx(2.0), pytest.approx(2.0 + 1.9))


def test_a_watch_around_no_step_says_that_it_saw_none(capsys):
    parts = build()
    with td.watch(parts.model, parts.optimizer):
        pass
    err = capsys.readouterr().err
    assert "watched no step" in err and err.count("\n") == 1
    with pytest.raises(ZeroDivisionError), td.watch(parts.model, parts.optimizer):
        1 / 0  # noqa: B018
    assert capsys.readouterr().err == ""


def test_progress_names_what_the_rules_have_found_so_far(tmp_path: Path, monkeypatch):
    from torchdoctor.train import findings

    monkeypatch.setattr(findings, "SECONDS", 0.0)
    monkeypatch.setattr(findings, "AT_MOST", 1e9)
    seen: list[Progress] = []

    def sick(seed: int) -> td.Parts:
        return build(seed).with_optimizer(lr=30.0)

    run = td.train(td.Experiment(sick, epochs=6), tmp_path / "run", report_progress=seen.append)
    assert seen[-1].findings and set(seen[-1].findings) <= {f.name for f in run.report}


def test_the_rules_are_asked_seldom_enough(monkeypatch):
    from torchdoctor.judge.report import Report
    from torchdoctor.train import findings

    clock, asked = [0.0], []
    monkeypatch.setattr(findings, "perf_counter", lambda: clock[0])

    def report() -> Report:
        asked.append(clock[0])
        clock[0] += 0.2
        return Report(())

    found = findings.OpenFindings(report)
    for _ in range(100):
        clock[0] += 1
        found.names()
    assert asked[0] == pytest.approx(5) and len(asked) * 0.2 < 0.02 * clock[0]
