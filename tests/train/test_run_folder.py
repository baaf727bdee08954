"""A recipe trained into a run folder: recorded, judged, resumed, interrupted."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn

from torchdoctor.errors import BadCheckpoint, BadParts, BadRun
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.place import new_folder
from torchdoctor.record.run import Run
from torchdoctor.train import checkpoint
from torchdoctor.train import progress as progress_module
from torchdoctor.train.log import History
from torchdoctor.train.progress import Meter, Progress
from torchdoctor.train.run import train
from torchdoctor.train.score import score

RECIPE = Recipe.from_dict({
    "data": {"limit": 200, "scale": "standard"}, "model": {"name": "mlp", "args": {"hidden": [32], "dropout": 0.2}},
    "optimizer": {"lr": 0.05, "momentum": 0.9}, "train": {"epochs": 4, "device": "cpu"},
})  # fmt: skip
SICK = Path(__file__).parents[2] / "examples" / "digits-sick.yaml"
MENDED = {"data.scale": "standard", "model.output": "none", "optimizer.lr": 0.02}


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [t.clone() for t in model.state_dict().values()]


def test_a_run_holds_the_recipe_the_signals_and_two_checkpoints(tmp_path):
    trained = train(RECIPE, tmp_path / "run")
    run = Run(tmp_path / "run")
    assert Recipe.load(tmp_path / "run" / "recipe.yaml") == RECIPE
    trace = run.trace()
    assert len(trace["loss"]) == 4 * 4
    assert trace["val_score"].values.tolist() == pytest.approx(trained.history["val_score"])
    twin = RECIPE.experiment().build(7).model
    assert checkpoint.load(tmp_path / "run" / "last", twin)["epoch"] == 4
    assert all(torch.equal(a, b) for a, b in zip(weights(twin), weights(trained.model)))


def test_a_watched_run_is_bit_for_bit_the_unwatched_one_and_the_same_again(tmp_path):
    one, again = train(RECIPE, tmp_path / "a"), train(RECIPE, tmp_path / "b")
    assert all(torch.equal(a, b) for a, b in zip(weights(one.model), weights(again.model)))


def test_a_run_that_is_interrupted_is_readable_and_ends_like_one_that_was_not_when_it_goes_on(tmp_path):
    whole = train(RECIPE, tmp_path / "whole")

    def ctrl_c(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, tmp_path / "half", report_progress=ctrl_c)
    assert len(Run(tmp_path / "half").trace()["loss"]) >= 8
    assert diagnose(tmp_path / "half").quiet
    assert not [f for f in (tmp_path / "half").rglob("*") if f.suffix in (".new", ".old")]
    rest = train(RECIPE, tmp_path / "rest", resume=tmp_path / "half")
    assert all(torch.equal(a, b) for a, b in zip(weights(whole.model), weights(rest.model)))
    assert rest.history["val_score"] == whole.history["val_score"][-len(rest.history["val_score"]) :]


def test_progress_counts_steps_and_epochs_and_estimates_what_remains(tmp_path):
    seen: list[Progress] = []
    train(RECIPE.patched({"train.epochs": 3}), tmp_path / "run", report_progress=seen.append)
    assert [p.epoch for p in seen] == sorted(p.epoch for p in seen)
    last = seen[-1]
    assert (last.epoch, last.epochs, last.step, last.steps) == (3, 3, 12, 12)
    assert last.numbers["val_score"] > 0.1


def test_the_estimate_is_the_steps_left_over_the_rate(monkeypatch):
    clock = itertools.count(step=0.5)
    monkeypatch.setattr(progress_module, "perf_counter", lambda: next(clock))
    seen: list[Progress] = []
    meter = Meter(epochs=2, steps_per_epoch=50, report=seen.append)
    for step in range(0, 41, 10):  # 20 steps a second
        meter.step(step)
    assert seen[-1].rate == pytest.approx(20) and seen[-1].remaining == pytest.approx(60 / 20)
    unknown = Meter(epochs=2, steps_per_epoch=None, report=seen.append)
    unknown.logged(epoch=0)
    assert seen[-1].remaining is None and seen[-1].steps is None and seen[-1].epoch == 1


def test_a_loop_of_ones_own_is_recorded_and_kept_once_at_its_end(tmp_path):
    def fit(parts, log):
        for epoch in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                parts.optimizer.step()
            log(epoch=epoch, val_score=0.5)

    own = Experiment(RECIPE.experiment().build, epochs=2, fit=fit, name="my own loop!")
    trained = train(own, tmp_path / "run")
    assert trained.history["val_score"] == [0.5, 0.5] and len(Run(trained.folder).trace()["loss"]) == 8
    checkpoint.load_weights(tmp_path / "run" / "last", RECIPE.experiment().build(3).model)
    with pytest.raises(BadParts, match="fit of its own"):
        train(own, tmp_path / "again", resume=tmp_path / "run")


def test_the_score_of_an_experiment_is_what_its_loop_logs(tmp_path):
    asked = Experiment(RECIPE.experiment().build, epochs=1, score=lambda *_: 0.25)
    assert train(asked, tmp_path / "run").history["val_score"] == [0.25]


def test_runs_are_never_written_over_and_a_bad_checkpoint_leaves_no_run(tmp_path):
    short = RECIPE.patched({"train.epochs": 1})
    train(short, tmp_path / "run")
    with pytest.raises(BadRun, match="already holds a run"):
        train(short, tmp_path / "run")
    with pytest.raises(BadCheckpoint, match=r"there and .* here"):
        train(short.patched({"model.args.hidden": [33]}), tmp_path / "new", resume=tmp_path / "run")
    with pytest.raises(BadCheckpoint, match="holds no checkpoint"):
        train(short, tmp_path / "new", resume=tmp_path)
    assert not (tmp_path / "new").exists()


def test_a_run_gets_a_folder_of_its_own_with_a_name_that_files_can_have(tmp_path):
    first = new_folder("two words/and more", tmp_path)
    assert first.name.endswith("-two-words-and-more")
    first.mkdir()
    assert new_folder("two words/and more", tmp_path).name == f"{first.name}-2"


def test_a_model_without_weights_is_told_in_one_line(tmp_path):
    empty = Parts(nn.ReLU(), nn.MSELoss(), torch.optim.SGD([torch.zeros(1)]), [(torch.zeros(2, 1), torch.zeros(2, 1))])
    with pytest.raises(BadParts, match="no parameters"):
        train(Experiment(lambda _: empty, epochs=1), tmp_path / "run")


def left_out(fault: str) -> float:
    """Mean test score over two seeds with all faults of the sick recipe mended but one."""
    recipe = Recipe.load(SICK, ("train.device=cpu",)).patched({k: v for k, v in MENDED.items() if k != fault})
    experiment = recipe.experiment()
    scores = []
    for seed in range(2):
        parts = experiment.build(seed)
        experiment.fit(parts, History(experiment.epochs))
        scores.append(score(parts.model, recipe.test()))
    return sum(scores) / 2


@pytest.mark.slow
def test_the_sick_digits_are_at_chance_and_need_all_three_faults_mended(tmp_path):
    sick = train(Recipe.load(SICK, ("train.device=cpu",)), tmp_path / "sick")
    assert sick.history["val_score"][-1] < 0.3
    mended = left_out("")
    assert mended >= 0.97
    for fault in MENDED:
        assert left_out(fault) < mended - 0.05, fault


def test_what_is_named_by_date_already_gets_one_date_alone(tmp_path):
    first = new_folder("lenet", tmp_path)
    assert new_folder(f"{first.name}-evaluation", tmp_path).name == f"{first.name}-evaluation"
