"""check(): finds each fault, is silent on what is healthy, leaves no mark, and says in one line what it cannot do."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from faults import FAULTY, on_digits, plain
from programs import HEALTHY, convolutions, digits, loader, mlp, penalty_on_the_weights, schedule_and_quasi_newton, text
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.judge.report import Report
from torchdoctor.parts import Parts
from torchdoctor.probes.check import check, examine
from torchdoctor.probes.fork import seeded
from torchdoctor.record.activations import Hook

BUDGET = 0.5  # seconds: all but the dearest probes
QUICK = 0.01  # those alone that always run


@pytest.fixture(autouse=True)
def one_thread_and_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def checked(parts: Parts, budget: float = BUDGET, seed: int = 0) -> Report:
    return check(parts.model, parts.loss_fn, parts.optimizer, parts.train, parts.val, budget=budget, seed=seed)


@pytest.mark.parametrize("build", HEALTHY.values(), ids=HEALTHY.keys())
def test_a_healthy_program_shows_nothing_above_a_hint(build: Callable[[], Parts]) -> None:
    report = checked(build())
    assert [f.message for f in report if f.alarm] == []
    assert report.crashed == {}
    assert report.trace is not None
    assert report.trace.facts["probe_errors"] == {}


FAULTS = [(name, build) for name, builds in FAULTY.items() for build in builds]


@pytest.mark.parametrize(("name", "build"), FAULTS, ids=[build.__name__ for _, build in FAULTS])
def test_a_fault_is_found_under_its_name(name: str, build: Callable[[], Parts]) -> None:
    report = checked(build(), QUICK)
    assert name in {f.name for f in report if f.alarm}
    assert report.crashed == {}


def everything(parts: Parts) -> dict[str, Any]:
    """Copies of all that a check could leave a mark on."""
    optimizer = parts.optimizer.state_dict()
    state = {f"{i} {k}": v for i, s in optimizer["state"].items() for k, v in s.items()}
    return {
        **{f"weight {n}": p.detach().clone() for n, p in parts.model.named_parameters()},
        **{f"grad {n}": None if p.grad is None else p.grad.clone() for n, p in parts.model.named_parameters()},
        **{f"buffer {n}": b.clone() for n, b in parts.model.named_buffers()},
        **{f"mode {n}": m.training for n, m in parts.model.named_modules()},
        **{f"state {n}": v.clone() if isinstance(v, Tensor) else repr(v) for n, v in state.items()},
        "groups": repr(optimizer["param_groups"]),
        "python": repr(random.getstate()),
        "numpy": repr(np.random.get_state()),  # noqa: NPY002
        "torch": torch.get_rng_state(),
        "generator": parts.train.generator.get_state() if parts.train.generator else None,
    }


def a_step(parts: Parts) -> None:
    """So that there are gradients, and optimizer state."""
    inputs, target = next(iter(parts.train))
    parts.optimizer.zero_grad()

    def closure() -> Tensor:
        loss = parts.loss_fn(parts.model(inputs), target)
        loss.backward()
        return loss

    parts.optimizer.step(closure)


@pytest.mark.parametrize("build", [mlp, convolutions, text, schedule_and_quasi_newton, penalty_on_the_weights])
def test_everything_is_afterwards_as_before(build: Callable[[], Parts]) -> None:
    parts = build()
    a_step(parts)
    list(parts.model.modules())[-1].eval()
    before = everything(parts)
    checked(parts)
    after = everything(parts)
    changed = [
        k for k, v in before.items() if not (torch.equal(v, after[k]) if isinstance(v, Tensor) else v == after[k])
    ]
    assert changed == []


def trained(parts: Parts, with_check: bool) -> dict[str, Tensor]:
    seeded(1)
    for epoch in range(2):
        for step, (inputs, target) in enumerate(parts.train):
            if with_check and epoch == 1 and step == 3:
                checked(parts, QUICK)
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(inputs), target).backward()
            parts.optimizer.step()
    return {n: v.clone() for n, v in parts.model.state_dict().items()}


@pytest.mark.parametrize("build", [convolutions, text])
def test_training_with_a_check_in_the_middle_gives_the_same_weights(build: Callable[[], Parts]) -> None:
    torch.manual_seed(0)
    plainly = trained(build(), with_check=False)
    torch.manual_seed(0)
    disturbed = trained(build(), with_check=True)
    assert all(torch.equal(plainly[n], disturbed[n]) for n in plainly)


def test_a_generator_inside_the_loader_is_set_back() -> None:
    x, y = digits(100)
    parts = replace(on_digits(plain()), val=None)
    generator = torch.Generator().manual_seed(3)
    parts = replace(parts, train=DataLoader(TensorDataset(x, y), 10, shuffle=True, generator=generator))
    before = generator.get_state()
    checked(parts)
    assert torch.equal(generator.get_state(), before)


def test_a_numpy_generator_in_a_dataset_is_set_back() -> None:
    class Noisy(TensorDataset):
        def __init__(self, *tensors: Tensor) -> None:
            super().__init__(*tensors)
            self.transforms = [np.random.default_rng(0), random.Random(0)]

        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            x, y = super().__getitem__(index)
            return x + self.transforms[0].normal() + self.transforms[1].random(), y

    x, y = digits(100)
    noisy = Noisy(x / 16, y)
    checked(replace(on_digits(plain()), train=DataLoader(noisy, 10), val=None))
    fresh = np.random.default_rng(0), random.Random(0)
    assert noisy.transforms[0].normal() == fresh[0].normal()
    assert noisy.transforms[1].random() == fresh[1].random()


def test_a_loader_that_counts_its_batches_goes_on_where_it_stood() -> None:
    x, y = digits(120)
    batches = TensorBatches(x / 16, y, 16, shuffle=True, seed=3)
    under_way = iter(batches)
    first = next(under_way)[1]
    position = repr(batches.state_dict())
    checked(replace(mlp(), train=batches, val=None), QUICK)
    assert repr(batches.state_dict()) == position
    rest = [t for _, t in under_way]
    undisturbed = TensorBatches(x / 16, y, 16, shuffle=True, seed=3)
    assert torch.equal(torch.cat([first, *rest]), torch.cat([t for _, t in undisturbed]))
    assert torch.equal(torch.cat([t for _, t in batches]), torch.cat([t for _, t in undisturbed]))


def test_two_checks_say_the_same() -> None:
    parts = convolutions()
    first, second = examine(parts, budget=QUICK), examine(parts, budget=QUICK)
    assert set(first.data) == set(second.data) >= {"label_counts", "update_ratio", "mixing"}
    for name in first.data:
        for subject, series in first.each(name):
            assert np.array_equal(series.values, second.data[name][subject].values, equal_nan=True), name


def test_a_recorder_on_the_model_hears_nothing_of_the_check() -> None:
    parts = mlp()
    calls: list[Any] = []
    parts.model[1].register_forward_hook(Hook(lambda *args: calls.append(args)))
    checked(parts)
    assert calls == []


def test_a_step_hook_of_the_optimizer_hears_nothing_of_the_check() -> None:
    parts = mlp()
    calls: list[Any] = []
    parts.optimizer.register_step_post_hook(lambda *args: calls.append(args))
    checked(parts)
    assert calls == []


class Locked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lock = nn.Linear(64, 10), threading.Lock()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.flatten(1))


def test_a_model_that_cannot_be_copied_is_still_looked_at_and_says_what_was_not_done() -> None:
    parts = on_digits(Locked())
    parts.train.dataset.tensors[0][5] = float("inf")
    report = checked(parts, QUICK)
    assert "non-finite-inputs" in {f.name for f in report}
    assert "mixed-batch" in report.not_run
    assert "cannot be copied" in report.not_run["mixed-batch"] and "lock" in report.not_run["mixed-batch"]


def test_a_small_budget_leaves_dear_probes_out_and_the_rules_say_so() -> None:
    report = checked(mlp(), QUICK)
    assert report.trace is not None
    assert "overfit-batch" in report.trace.facts["probes_left_out"]
    assert "has_grad" in report.trace.data  # one real step is always made
    assert "budget" in report.trace.facts["probes_left_out"]["overfit-batch"]


def test_a_probe_that_fails_hides_no_other() -> None:
    class OnlyInTraining(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            if not self.training:
                raise RuntimeError("no inference yet\nsecond line")
            return self.fc(x.flatten(1))

    report = checked(on_digits(OnlyInTraining()), QUICK)
    assert report.trace is not None
    assert report.trace.facts["probe_errors"]["train-eval"] == "RuntimeError: no inference yet"
    assert "train-eval failed" in report.not_run["mixed-batch"]
    assert "has_grad" in report.trace.data


def first_digit_pairs() -> DataLoader:
    x, y = digits(64)
    return loader(x / 16, y)


def dicts() -> list[dict[str, Tensor]]:
    return [{"x": x, "y": y} for x, y in first_digit_pairs()]


BAD_LOADERS: dict[str, tuple[Callable[[], Any], str]] = {
    "empty": (list, "empty: it gave no batch"),
    "nothing left by drop_last": (lambda: DataLoader(TensorDataset(*digits(8)), 64, drop_last=True), "drop_last"),
    "dicts": (dicts, "dicts (keys: x, y)"),
    "single tensors": (lambda: [x for x, _ in first_digit_pairs()], "single Tensors"),
    "lists of one": (lambda: [[x] for x, _ in first_digit_pairs()], "lists of 1"),
    "an iterator": (lambda: iter(first_digit_pairs()), "only once"),
    "a generator": (lambda: ((x, y) for x, y in first_digit_pairs()), "only once"),
    "labels as words": (lambda: [(x, ["one"] * len(y)) for x, y in first_digit_pairs()], "targets of type list"),
    "inputs as words": (lambda: [("one", y) for _, y in first_digit_pairs()], "inputs of type str"),
}


@pytest.mark.parametrize(("give", "says"), BAD_LOADERS.values(), ids=BAD_LOADERS.keys())
def test_a_loader_that_cannot_be_used_is_refused_in_one_line(give: Callable[[], Any], says: str) -> None:
    with pytest.raises(BadParts) as refusal:
        checked(replace(mlp(), train=give(), val=None))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def parts_with(**changes: Any) -> Parts:
    return replace(mlp(), **changes)


def model_of_lists() -> Parts:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(64, 10)]

        def forward(self, x: Tensor) -> Tensor:
            return self.layers[0](x.flatten(1))

    model = Hidden()
    return parts_with(model=model, optimizer=torch.optim.SGD(model.layers[0].parameters(), 0.1))


BAD_PARTS: dict[str, tuple[Callable[[], Parts], str]] = {
    "no parameters": (model_of_lists, "no parameters"),
    "a class for a model": (lambda: parts_with(model=nn.Linear), "model is a type"),
    "a class for an optimizer": (lambda: parts_with(optimizer=torch.optim.Adam), "not a built optimizer"),
    "a name for a loss": (lambda: parts_with(loss_fn="mse"), "loss_fn is a str"),
    "lazy layers": (lambda: on_digits(nn.Sequential(nn.Flatten(), nn.LazyLinear(10))), "has no size before"),
    "a loss of each sample": (lambda: parts_with(loss_fn=nn.CrossEntropyLoss(reduction="none")), "not one"),
    "a loss as a number": (lambda: parts_with(loss_fn=lambda o, t: 0.5), "a float: return the loss"),
    "inputs of another width": (lambda: replace(mlp(), train=[(torch.randn(4, 9), torch.zeros(4).long())]), "fails on"),
    "a loss that always raises": (
        lambda: parts_with(loss_fn=lambda o, t: nn.functional.mse_loss(o, t.float())),
        "output (32, 10) float32, target (32,) int64",
    ),
}


@pytest.mark.parametrize(("build", "says"), BAD_PARTS.values(), ids=BAD_PARTS.keys())
def test_parts_that_cannot_be_examined_are_refused_in_one_line(build: Callable[[], Parts], says: str) -> None:
    with pytest.raises(BadParts) as refusal:
        checked(build())
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_refusal_leaves_no_mark_either() -> None:
    parts = parts_with(loss_fn=lambda o, t: nn.functional.cross_entropy(o, t, reduction="none"))
    parts.model.eval()
    before = torch.get_rng_state()
    with pytest.raises(BadParts):
        checked(parts)
    assert torch.equal(torch.get_rng_state(), before)
    assert not parts.model.training


def test_the_number_of_threads_is_put_back() -> None:
    torch.set_num_threads(2)
    checked(mlp(), QUICK)
    assert torch.get_num_threads() == 2


def test_a_check_works_where_gradients_are_off() -> None:
    with torch.no_grad():
        report = checked(mlp())
    assert report.trace is not None
    assert report.trace.value("has_grad", "1.weight") == 1


@pytest.mark.parametrize("budget", [-1, 0, float("nan"), "3x", True])
def test_a_budget_that_is_no_time_is_refused(budget: Any) -> None:
    p = parts_with()
    with pytest.raises(BadParts, match=r"budget = .*: give the seconds"):
        check(p.model, p.loss_fn, p.optimizer, p.train, budget=budget)


@pytest.mark.parametrize("seed", [-1, 0.5, "a", None])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    p = parts_with()
    with pytest.raises(BadParts, match=r"seed = .*: give a whole number"):
        check(p.model, p.loss_fn, p.optimizer, p.train, seed=seed)


def test_a_loader_that_breaks_on_its_way_is_named_with_the_batch() -> None:
    def broken() -> Iterator[Any]:
        yield torch.zeros(4, 6), torch.zeros(4).long()
        raise OSError("cat.png is truncated")

    class Loader:
        def __iter__(self) -> Iterator[Any]:
            return broken()

    p = parts_with()
    with pytest.raises(BadParts, match=r"train failed after 1 batches: OSError: cat.png is truncated"):
        check(p.model, p.loss_fn, p.optimizer, Loader())
