"""A whole evaluation, on classes, yes or no, and numbers; recorded as a run and judged."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import torch
from torch import nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadCheckpoint, BadParts, BadRun
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.opened import Opened, chosen
from torchdoctor.evaluate.options import QUICK, EvaluateOptions
from torchdoctor.evaluate.recorded import recorded
from torchdoctor.judge.judge import all_rules
from torchdoctor.judge.report import jsonable
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.diagnose import diagnose
from torchdoctor.record.run import Run
from torchdoctor.train.run import train

RECIPE = Recipe.from_dict({
    "data": {"scale": "standard"}, "optimizer": {"lr": 0.05, "momentum": 0.9},
    "train": {"epochs": 10, "device": "cpu", "threads": 1},
})  # fmt: skip
CHEAP = EvaluateOptions(attacked=40)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """LeNet-5 on digits, ten epochs."""
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "lenet").folder


@pytest.fixture(scope="module")
def found(run):
    opened = Opened.of(run)
    loss_fn = opened.parts.loss_fn
    return evaluate(opened.model, opened.loader("test"), **opened.others("test"), loss_fn=loss_fn, options=CHEAP)


def test_the_scores_are_those_that_training_reported(run, found):
    trace = Run(run).trace()
    assert found.scores["val"].score.value == pytest.approx(trace["val_score"].values.max())
    assert list(found.scores) == ["train", "val", "test"] and found.measure == "accuracy"
    for part in found.scores.values():
        assert part.score.low < part.score.value < part.score.high and part.loss > 0


def test_everything_about_classes_is_there_and_agrees(found):
    matrix = np.array(found.confusion)
    assert matrix.sum() == found.scores["test"].samples
    assert np.trace(matrix) / matrix.sum() == pytest.approx(found.scores["test"].score.value)
    assert len(found.by_class) == len(found.curves) == 10
    assert [b.other for b in found.baselines][:2] == ["majority class", "logistic regression"]
    assert found.baselines[0].score.value < 0.2 < 0.9 < found.baselines[1].score.value
    assert found.calibration.temperature > 0 and found.robustness.sound and found.left_out == {}
    assert [p.layer for p in found.bottlenecks.probes][:2] == ["input", "conv1"]
    assert {s.column for s in found.slices} == {"brightness", "class", "confidence"}


def test_evaluating_changes_neither_weights_nor_random_numbers_nor_the_loaders(run):
    opened = Opened.of(run)
    weights, state = [p.clone() for p in opened.model.parameters()], torch.get_rng_state()
    first = next(iter(opened.parts.val))[0].clone()
    loader = opened.parts.train
    order = loader.generator.get_state()
    evaluate(opened.model, opened.parts.val, train=loader, on="val", options=CHEAP)
    assert torch.equal(state, torch.get_rng_state()) and torch.equal(order, loader.generator.get_state())
    assert all(torch.equal(a, b) for a, b in zip(weights, opened.model.parameters()))
    assert torch.equal(first, next(iter(opened.parts.val))[0])


def test_it_is_strict_json_and_the_same_again_but_for_the_measured_times(run, found):
    opened = Opened.of(run)
    again = evaluate(opened.model, opened.test, **opened.others("test"), loss_fn=opened.parts.loss_fn, options=CHEAP)
    one, two = json.loads(found.to_json()), json.loads(again.to_json())
    for d in (one, two):
        for measured in ("times", "answers"):
            d["bottlenecks"].pop(measured)
    assert one == two


def test_it_is_recorded_as_a_run_that_the_rules_judge_and_the_parent_is_left_alone(run, found, tmp_path):
    before = {f: f.read_bytes() for f in run.rglob("*") if f.is_file()}
    folder = recorded(found, tmp_path / "evaluation", parent=run, checkpoint="best", recipe=RECIPE.to_yaml())
    assert before == {f: f.read_bytes() for f in run.rglob("*") if f.is_file()}
    trace = Run(folder).trace()
    assert trace.facts["parent"] == str(run) and trace.facts["stage"] == "evaluation"
    assert trace.value("test_score") == found.scores["test"].score.value
    assert trace.value("class_recall", "3") == found.by_class[3].recall.value
    assert dict(trace.each("layer_time")) and trace.value("baseline_score", "logistic regression") > 0.9
    assert json.loads((folder / "evaluation.json").read_text())["confusion"] == jsonable(found.confusion)
    report = diagnose(folder)
    assert not report.crashed and not [f for f in report if f.alarm]
    asked = {*report.quiet, *report.not_run, *(f.name for f in report)}
    measured = {rule.name for rule in all_rules() if rule.needs and not rule.missing(trace)}
    courses = {"too-few-epochs", "too-many-epochs", "noisy-labels"}  # one score is no course of training
    assert asked == measured - courses
    with pytest.raises(BadRun, match="already holds a run"):
        recorded(found, folder)


def test_a_network_that_was_hardly_trained_is_found_to_underfit(tmp_path):
    opened = Opened.of(train(RECIPE.patched({"train.epochs": 1}), tmp_path / "short").folder)
    options = EvaluateOptions(robustness=False, bottlenecks=False)
    found = evaluate(opened.model, opened.test, **opened.others("test"), options=options)
    assert "underfitting" in [f.name for f in diagnose(recorded(found, tmp_path / "evaluation"))]


def test_two_runs_are_compared_on_the_same_samples(run, found):
    opened = Opened.of(run)
    same = evaluate(opened.model, opened.test, against=("itself", Opened.of(run).model), options=QUICK).against
    assert same.lead.value == 0 and same.p_value == 1 and same.score.value == found.scores["test"].score.value
    fresh = RECIPE.experiment().build(1).model
    other = evaluate(opened.model, opened.test, against=("fresh", fresh), options=QUICK).against
    assert other.lead.low > 0.5 and other.p_value < 1e-9
    numbers = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    with pytest.raises(BadParts, match="same question"):
        evaluate(opened.model, opened.test, against=("numbers", numbers), options=QUICK)


def test_user_slices_are_functions_of_a_batch_and_bad_ones_are_refused(run):
    opened = Opened.of(run)
    even = {"parity": lambda inputs, target: ["even" if t % 2 == 0 else "odd" for t in target.tolist()]}
    found = evaluate(opened.model, opened.test, slices=even, options=QUICK)
    assert {s.group for s in found.slices if s.column == "parity"} == {"even", "odd"}
    with pytest.raises(BadParts, match="'bad' gave"):
        evaluate(opened.model, opened.test, slices={"bad": lambda inputs, target: [1]}, options=QUICK)
    with pytest.raises(BadParts, match=r"'cwd' failed: TypeError: .*It is called with the inputs"):
        evaluate(opened.model, opened.test, slices={"cwd": os.getcwd}, options=QUICK)
    mixed = {"mixed": lambda inputs, target: np.array([None, "a"] * len(target), object)[: len(target)]}
    found = evaluate(opened.model, opened.test, slices=mixed, options=QUICK)
    assert {s.group for s in found.slices if s.column == "mixed"} == {"None", "a"}
    with pytest.raises(BadParts, match="3 class names for 10"):
        evaluate(opened.model, opened.test, classes="abc", options=QUICK)


def test_what_is_left_out_is_said(run):
    opened = Opened.of(run)
    found = evaluate(opened.model, opened.loader("train"), on="train", options=CHEAP)
    assert set(found.left_out) == {"baselines", "suspects", "temperature scaling"}
    assert found.calibration.temperature is None
    quick = evaluate(opened.model, opened.test, options=QUICK)
    assert quick.left_out["robustness"] == "not asked for" and quick.robustness is None


def test_yes_or_no_is_scored_by_the_area_and_shown_as_two_classes():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(300, 4, generator=random)
    y = ((x[:, 0] + 0.5 * torch.randn(300, generator=random)) > 0).float()[:, None]
    model = nn.Linear(4, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 0, 0, 0]]))
    found = evaluate(
        model, TensorBatches(x[:150], y[:150]), train=TensorBatches(x[150:], y[150:]), classes=("no", "yes")
    )
    assert found.measure == "area under the ROC curve" and found.scores["test"].score.value > 0.9
    assert found.classes == ("no", "yes") and len(found.curves) == 1 and found.robustness.sound
    assert found.curves[0].roc_area == pytest.approx(found.scores["test"].score.value)


def test_numbers_have_residuals_and_a_mean_as_baseline():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(400, 5, generator=random)
    y = (2 * x[:, :1] - x[:, 1:2]) + 0.3 * torch.randn(400, 1, generator=random)
    model = nn.Linear(5, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, -1, 0, 0, 0]]))
        model.bias.zero_()
    found = evaluate(
        model, TensorBatches(x[:200], y[:200]), train=TensorBatches(x[200:], y[200:]), loss_fn=nn.MSELoss()
    )
    assert found.measure == "R2" and found.residuals.rmse.value == pytest.approx(0.3, abs=0.05)
    assert [b.other for b in found.baselines] == ["mean", "ridge regression", "5 nearest neighbours"]
    assert found.baselines[0].lead.low > 0.9 and abs(found.baselines[1].lead.value) < 0.01
    assert found.confusion == () and found.hard == () and found.bottlenecks.probes == () and found.bottlenecks.times
    assert json.loads(found.to_json())["worst"][0]["margin"] == "nan"


def test_token_ids_are_counted_for_baselines_and_not_attacked():
    random = torch.Generator().manual_seed(0)
    y = torch.arange(200) % 2
    x = torch.randint(1, 20, (200, 8), generator=random)
    x[y == 1, 0] = 30
    model = nn.Sequential(nn.EmbeddingBag(40, 6), nn.Linear(6, 2))
    found = evaluate(model, TensorBatches(x[:100], y[:100]), train=TensorBatches(x[100:], y[100:]))
    assert found.baselines[1].score.value > 0.95
    assert "decimals" in found.left_out["robustness"] and found.bottlenecks.probes


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda run: Opened.of(run / "nowhere"), BadRun, "recipe.yaml"),
        (lambda run: Opened.of(run.parent), BadRun, "recipe.yaml"),
        (lambda run: chosen("tset", "best"), BadParts, "'test'"),
        (lambda run: chosen("test", "first"), BadParts, "best, last"),
    ],
)
def test_each_wrong_wish_is_one_line(run, make, error, says):
    with pytest.raises(error, match=says) as refused:
        make(run)
    assert "\n" not in str(refused.value)


def test_a_run_without_checkpoint_or_with_one_of_another_model_is_refused(run, tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.to_yaml())
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        Opened.of(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE.patched({"model.name": "mlp"}).to_yaml())
    (tmp_path / "best").symlink_to(run / "best")
    with pytest.raises(BadCheckpoint, match="another model"):
        Opened.of(tmp_path)


def test_a_run_that_kept_its_last_weights_alone_says_how_to_ask_for_them(run, tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.to_yaml())
    (tmp_path / "last").symlink_to(run / "last")
    with pytest.raises(BadCheckpoint, match="no checkpoint 'best', but 'last': --checkpoint last"):
        Opened.of(tmp_path)
    assert Opened.of(tmp_path, "last").model is not None


def test_data_without_a_test_part_say_which_parts_there_are(tmp_path):
    recipe = RECIPE.patched({"data.split": [0.8, 0.2, 0], "train.epochs": 1, "data.limit": 60})
    opened = Opened.of(train(recipe, tmp_path / "run").folder)
    with pytest.raises(BadParts, match="no test part; they have train, val"):
        opened.loader("test")
    assert len(evaluate(opened.model, opened.loader("val"), on="val", options=QUICK).confusion) == 10
