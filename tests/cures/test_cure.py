"""td.cure from end to end, on real data: what is sick is cured and proven, what is healthy is left alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes, load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.cure import cure
from torchdoctor.cures.progress import Progress
from torchdoctor.cures.result import Cure
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment, Log
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History
from torchdoctor.train.score import score

Split = tuple[Tensor, Tensor, Tensor, Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def digits(scale: float = 1 / 16) -> Split:
    x, y = load_digits(return_X_y=True)
    return split(torch.tensor(x, dtype=torch.float32) * scale, torch.tensor(y), 1300)


def diabetes(scale: float) -> Split:
    x, y = load_diabetes(return_X_y=True)
    return split(20 * torch.tensor(x, dtype=torch.float32), scale * torch.tensor(y, dtype=torch.float32)[:, None], 300)


def split(x: Tensor, y: Tensor, train: int) -> Split:
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return x[order[:train]], y[order[:train]], x[order[train:]], y[order[train:]]


class Softmaxed(nn.Sequential):
    """Its softmax is a call in forward(), as most people write it."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(super().forward(x), dim=1)


def experiment(
    data: Split, loss_fn: nn.Module, lr: float, kind: type[nn.Sequential] = nn.Sequential, **more: Any
) -> Experiment:
    train_x, train_y, val_x, val_y = data
    outputs = 1 if train_y.is_floating_point() else 10

    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = kind(nn.Linear(train_x.shape[1], 64), nn.ReLU(), nn.Linear(64, outputs))
        train = DataLoader(TensorDataset(train_x, train_y), 50, shuffle=True)
        val = DataLoader(TensorDataset(val_x, val_y), 500)
        return Parts(model, loss_fn, torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9), train, val)

    return Experiment(build, **{"epochs": 12, **more})


def never_clears(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        log(epoch=epoch)


def fixes(found: Cure) -> set[str]:
    return {remedy.fix for remedy in found.fix}


def test_a_healthy_network_is_left_alone() -> None:
    sound = experiment(digits(), nn.CrossEntropyLoss(), lr=0.1)
    numbers = torch.get_rng_state()
    found = cure(sound)

    assert torch.equal(torch.get_rng_state(), numbers)
    assert (found.verdict, found.fix, found.races, found.cost) == ("healthy", (), (), 0.0)
    assert found.experiment is sound
    assert found.before.mean > 0.9


@pytest.mark.slow
def test_two_faults_that_hide_each_other_are_both_proven_and_cured() -> None:
    sick = experiment(digits(), nn.CrossEntropyLoss(), lr=1e-4, kind=Softmaxed)
    found = cure(sick)

    assert found.verdict == "cured"
    assert fixes(found) == {"remove-output-activation", "set-learning-rate"}
    assert "redundant-output-activation" in found.proven
    assert found.before.mean < 0.4
    assert found.after.mean > 0.85
    assert found.cost <= 3.02

    parts = found.parts(seed=7)
    found.fit(parts, History(12))
    assert parts.val is not None
    assert score(parts.model, parts.val) > 0.85
    assert "self.head" in found.code


@pytest.mark.slow
def test_targets_too_large_for_the_network_are_scaled_and_answers_stay_in_their_units() -> None:
    found = cure(experiment(diabetes(scale=1000.0), nn.MSELoss(), lr=0.003))

    assert (found.verdict, fixes(found)) == ("cured", {"standardize-targets"})
    assert found.proven == ("unscaled-targets",)
    assert found.after.mean > 0.35
    assert found.parts(0).model(torch.zeros(1, 10)).item() > 10_000


@pytest.mark.slow
def test_a_fault_in_the_users_loop_is_proven_by_a_loop_that_is_right() -> None:
    found = cure(experiment(digits(), nn.CrossEntropyLoss(), lr=0.1, fit=never_clears))

    assert (found.verdict, fixes(found)) == ("cured", {"use-own-loop"})
    assert found.proven == ("missing-zero-grad",)
    assert found.after.mean > found.before.mean + 0.1
    assert found.experiment.fit is None


def test_labels_that_say_nothing_are_not_cured() -> None:
    train_x, train_y, val_x, val_y = digits()
    shuffled = train_y[torch.randperm(len(train_y), generator=torch.Generator().manual_seed(1))]
    found = cure(experiment((train_x, shuffled, val_x, val_y), nn.CrossEntropyLoss(), lr=0.05))

    assert found.verdict in ("refused", "not proven")
    assert found.fix == ()
    assert found.reason


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "most"), [("5 trials", 5), ("1.5x", 99)])
def test_a_cure_stays_within_its_budget(budget: str, most: int, tmp_path: Path) -> None:
    found = cure(experiment(digits(), nn.CrossEntropyLoss(), lr=1e-5), budget=budget, folder=tmp_path / "cure")
    runs = [path.name[4:] for path in (tmp_path / "cure").glob("[0-9]*")]
    trained = [name for name in runs if not name.startswith(("examined", "data"))]

    assert len(trained) <= 1 + most  # the first, unchanged one is not counted
    assert found.cost <= (1.52 if budget == "1.5x" else most)


@pytest.mark.slow
def test_a_recipe_is_cured_as_a_recipe() -> None:
    recipe = Recipe.from_dict(
        {
            "name": "sick",
            "data": {"name": "digits", "scale": "unit"},
            "model": {"name": "mlp", "output": "softmax"},
            "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
            "train": {"epochs": 12, "device": "cpu"},
        }
    )
    seen: list[Progress] = []
    found = cure(recipe.experiment(), report_progress=seen.append)

    assert (found.verdict, fixes(found)) == ("cured", {"remove-output-activation"})
    assert found.patch == {"model.output": "none"}
    assert found.recipe == recipe.patched(found.patch)
    assert "-  output: softmax\n+  output: none" in found.diff
    assert json.loads(found.to_json())["verdict"] == "cured"

    assert [p.stage for p in seen] == sorted(
        (p.stage for p in seen), key=["examine", "baseline", "race", "confirm"].index
    )
    assert all(later.done >= earlier.done - 0.3 for earlier, later in pairwise(seen))
    assert all(p.done <= p.total + 0.05 and p.why for p in seen)


@pytest.mark.parametrize("after", ["baseline", "race"])
def test_what_was_known_when_it_was_interrupted_is_returned(after: str) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == after and "seed" in f"{progress.what} seed":
            raise KeyboardInterrupt

    def fit(parts: Parts, log: Log) -> None:
        for epoch in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                parts.optimizer.step()
            if after == "baseline" and epoch == 2:
                raise KeyboardInterrupt
            log(epoch=epoch)

    sick = experiment(digits(), nn.CrossEntropyLoss(), lr=0.1, kind=Softmaxed, fit=fit, epochs=6)
    found = cure(sick, report_progress=stop if after == "race" else None)

    assert found.verdict == "not proven"
    assert "interrupted" in found.reason
    assert found.report.findings
    assert found.fix == ()


def test_a_loop_that_fails_is_told_with_its_error() -> None:
    def fit(parts: Parts, log: Log) -> None:
        x, y = next(iter(parts.train))
        parts.loss_fn(parts.model(x[:, :7]), y)

    found = cure(experiment(digits(), nn.CrossEntropyLoss(), lr=0.1, fit=fit))

    assert found.verdict != "healthy"
    assert "cannot be multiplied" in found.reason


@pytest.mark.parametrize(
    ("options", "said"), [({"budget": "a lot"}, "budget of 'a lot'"), ({"seeds": 0}, "at least one")]
)
def test_options_that_make_no_sense_are_refused_before_anything_runs(options: dict[str, Any], said: str) -> None:
    built: list[int] = []

    def build(seed: int) -> Parts:
        built.append(seed)
        raise AssertionError

    with pytest.raises(BadParts, match=said):
        cure(Experiment(build, epochs=1), **options)
    assert built == []


@pytest.mark.parametrize("batches", [[], [{"x": torch.zeros(2, 64), "y": torch.zeros(2)}], [torch.zeros(2, 64)]])
def test_a_loader_that_cannot_be_read_is_told_in_one_line(batches: list[Any]) -> None:
    def build(seed: int) -> Parts:
        model = nn.Linear(64, 10)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)

    with pytest.raises(BadParts) as error:
        cure(Experiment(build, epochs=1))
    assert "\n" not in str(error.value)
