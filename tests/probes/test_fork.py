"""Forks share nothing with the originals and are wired among themselves as the originals are."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest
import torch
from programs import Tied, digits, mlp
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.errors import BadParts
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.fork import forked, preserved, reading, seeded, uncompiled


def parts_of(model: nn.Module, loss_fn: object = None, optimizer: torch.optim.Optimizer | None = None) -> Parts:
    optimizer = optimizer or torch.optim.Adam(model.parameters(), 1e-2)
    return Parts(model, loss_fn or nn.MSELoss(), optimizer, [(torch.randn(4, 3), torch.randn(4, 1))])  # type: ignore[arg-type]


def addresses(model: nn.Module) -> set[int]:
    return {t.data_ptr() for t in (*model.parameters(), *model.buffers())}


def test_a_fork_shares_no_memory_with_the_original() -> None:
    parts = parts_of(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    assert not addresses(parts.model) & addresses(forked(parts).model)


def test_the_copied_optimizer_steps_the_copied_model_and_nothing_else() -> None:
    parts = parts_of(nn.Linear(3, 1))
    twin = forked(parts)
    before = parts.model.weight.clone()
    twin.loss_fn(twin.model(torch.randn(4, 3)), torch.randn(4, 1)).backward()
    twin.optimizer.step()
    assert torch.equal(parts.model.weight, before)
    assert not torch.equal(twin.model.weight, before)
    assert parts.optimizer.state == {}
    assert parts.model.weight.grad is None


def test_the_optimizers_state_goes_with_its_parameters() -> None:
    parts = parts_of(nn.Linear(3, 1))
    parts.model(torch.randn(2, 3)).sum().backward()
    parts.optimizer.step()
    twin = forked(parts)
    state = twin.optimizer.state[twin.model.weight]
    assert torch.equal(state["exp_avg"], parts.optimizer.state[parts.model.weight]["exp_avg"])
    assert state["exp_avg"].data_ptr() != parts.optimizer.state[parts.model.weight]["exp_avg"].data_ptr()


def test_a_fork_trains_exactly_as_the_original_would() -> None:
    parts = parts_of(nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1)))
    twin = forked(parts)
    x, y = torch.randn(16, 3), torch.randn(16, 1)
    for p in (parts, twin):
        torch.manual_seed(5)
        for _ in range(3):
            p.optimizer.zero_grad()
            p.loss_fn(p.model(x), y).backward()
            p.optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(parts.model.parameters(), twin.model.parameters(), strict=True))


@pytest.mark.parametrize("make", [torch.optim.LBFGS, functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9)])
def test_optimizers_of_any_kind_step_in_a_fork(make: type[torch.optim.Optimizer]) -> None:
    model = nn.Linear(3, 1)
    twin = forked(parts_of(model, optimizer=make(model.parameters())))
    before = twin.model.weight.detach().clone()
    x, y = torch.randn(8, 3), torch.randn(8, 1)

    def closure() -> Tensor:
        twin.optimizer.zero_grad()
        loss = twin.loss_fn(twin.model(x), y)
        loss.backward()
        return loss

    twin.optimizer.step(closure)
    assert not torch.equal(twin.model.weight, before)


def test_tied_weights_stay_tied_and_held_once() -> None:
    twin = forked(parts_of(Tied()))
    assert twin.model.out.weight is twin.model.embedding.weight
    assert sum(p is twin.model.out.weight for g in twin.optimizer.param_groups for p in g["params"]) == 1


def test_the_copied_scheduler_drives_the_copied_optimizer() -> None:
    parts = parts_of(nn.Linear(3, 1))
    scheduler = torch.optim.lr_scheduler.StepLR(parts.optimizer, 1, 0.1)
    twin = forked(Parts(parts.model, parts.loss_fn, parts.optimizer, parts.train, scheduler=scheduler))
    assert twin.scheduler.optimizer is twin.optimizer
    twin.optimizer.step()
    twin.scheduler.step()
    assert twin.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)
    assert parts.optimizer.param_groups[0]["lr"] == 1e-2


def test_a_loss_that_closes_over_the_weights_closes_over_the_copies() -> None:
    model = nn.Linear(3, 1)
    weights = list(model.parameters())

    def loss_fn(output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean() + model.weight.square().sum() + weights[0].abs().sum()

    twin = forked(parts_of(model, loss_fn))
    twin.loss_fn(torch.zeros(2, 1), torch.zeros(2, 1)).backward()
    assert twin.model.weight.grad is not None
    assert model.weight.grad is None


GLOBAL_MODEL = nn.Linear(3, 1)


def global_penalty(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).square().mean() + sum(p.square().sum() for p in GLOBAL_MODEL.parameters())


def test_a_loss_that_names_a_global_model_names_the_copy() -> None:
    twin = forked(parts_of(GLOBAL_MODEL, global_penalty))
    twin.loss_fn(torch.zeros(2, 1), torch.zeros(2, 1)).backward()
    assert twin.model.weight.grad is not None
    assert GLOBAL_MODEL.weight.grad is None


class Stateful(nn.Module):
    """Keeps the last hidden state, with its graph."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 4)
        self.hidden: Tensor | None = None
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.hidden = self.cell(x, None if self.hidden is None else self.hidden.detach())
        self.seen.append(self.hidden)
        return self.hidden


def test_results_that_a_model_keeps_are_copied_without_their_graph() -> None:
    model = Stateful()
    model(torch.randn(2, 3))
    twin = forked(parts_of(model))
    assert model.hidden is not None and model.hidden.grad_fn is not None
    assert torch.equal(twin.model.hidden, model.hidden)
    assert twin.model.hidden is not model.hidden and twin.model.hidden.grad_fn is None
    assert twin.model.seen[0] is twin.model.hidden


def test_what_cannot_be_copied_is_told_in_one_line() -> None:
    model = nn.Linear(3, 1)
    model.stream = (i for i in range(3))
    with pytest.raises(BadParts, match="generator") as refusal:
        forked(parts_of(model))
    assert "\n" not in str(refusal.value)


def test_a_compiled_model_is_forked_as_it_was_before_compiling() -> None:
    model = nn.Linear(3, 1)
    compiled = torch.compile(model)
    twin = forked(parts_of(compiled, optimizer=torch.optim.SGD(model.parameters(), 0.1)))
    assert uncompiled(compiled) is model
    assert type(twin.model) is nn.Linear
    assert twin.optimizer.param_groups[0]["params"][0] is twin.model.weight


def test_preserved_puts_back_random_numbers_flags_buffers_and_gradients() -> None:
    parts = parts_of(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)))
    parts.model(torch.randn(4, 3)).sum().backward()
    kept = parts.model[0].weight.grad
    kept_values, mean = kept.clone(), parts.model[1].running_mean.clone()
    parts.model[2].eval()
    seeded(7)
    expected = (random.random(), np.random.random(), torch.rand(1).item())  # noqa: NPY002
    seeded(7)
    with pytest.raises(KeyboardInterrupt), preserved(parts):
        seeded(1)
        parts.model.eval()
        parts.model.train()
        parts.model(torch.randn(4, 3)).sum().backward()
        raise KeyboardInterrupt
    assert (random.random(), np.random.random(), torch.rand(1).item()) == expected  # noqa: NPY002
    assert parts.model[0].weight.grad is kept and torch.equal(kept, kept_values)
    assert torch.equal(parts.model[1].running_mean, mean)
    assert parts.model[1].training and not parts.model[2].training


def test_reading_starts_no_worker_and_leaves_a_persistent_iterator_alone() -> None:
    loader = DataLoader(TensorDataset(torch.arange(6.0), torch.arange(6)), 2, num_workers=2, persistent_workers=True)
    marker = object()
    loader._iterator = marker  # type: ignore[assignment]
    batches = list(reading(loader))
    assert [b[1].tolist() for b in batches] == [[0, 1], [2, 3], [4, 5]]
    assert loader._iterator is marker and loader.num_workers == 2
    loader._iterator = None


def test_reading_keeps_the_order_that_the_generator_gives() -> None:
    def order() -> list[int]:
        loader = DataLoader(
            TensorDataset(torch.arange(20)), 4, shuffle=True, generator=torch.Generator().manual_seed(4)
        )
        return torch.cat([b[0] for b in reading(loader)]).tolist()

    assert order() == order() and sorted(order()) == list(range(20))


def test_a_fresh_twin_is_drawn_anew_and_the_same_for_the_same_seed() -> None:
    parts = mlp()
    with torch.no_grad():
        parts.model[1].weight.fill_(3.0)
    bench = Bench(parts)
    before = torch.get_rng_state()
    first, again, other = bench.fresh(1), bench.fresh(1), bench.fresh(2)
    assert first is not None and again is not None and other is not None
    assert torch.equal(first.model[1].weight, again.model[1].weight)
    assert not torch.equal(first.model[1].weight, other.model[1].weight)
    assert first.model[1].weight.std() < 0.1
    assert torch.equal(torch.get_rng_state(), before)
    assert bool((parts.model[1].weight == 3).all())


def test_a_model_that_cannot_draw_its_weights_has_no_fresh_twin() -> None:
    class Raw(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 1))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight

    assert Bench(parts_of(Raw())).fresh() is None


def targets(kind: str) -> Tensor:
    x, y = digits(40)
    return {
        "classes": y, "one-hot": nn.functional.one_hot(y, 10).float(), "floats": y.float().unsqueeze(1),
        "flags": (y > 4).float().unsqueeze(1), "signs": (y > 4).float() * 2 - 1, "one or two": (y > 4).float() + 1,
        "several flags": (x.flatten(1)[:, 20:25] > 8).float(), "sizes": x.flatten(1)[:, 20:21] / 7,
        "counts": x.flatten(1)[:, 20:21],
    }[kind]  # fmt: skip


KINDS = [
    ("classes", 10, "classes"), ("one-hot", 10, "classes"), ("floats", 10, "classes"), ("flags", 1, "binary"),
    ("signs", 1, "binary"), ("one or two", 1, "binary"), ("several flags", 5, "multilabel"),
    ("sizes", 1, "continuous"), ("counts", 1, "continuous"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "outputs", "kind"), KINDS, ids=[k[0] for k in KINDS])
def test_the_kind_of_the_targets_is_told_by_values_and_outputs(given: str, outputs: int, kind: str) -> None:
    x, _ = digits(40)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))
    train = DataLoader(TensorDataset(x, targets(given)), 10)
    bench = Bench(Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), train))
    assert bench.kind == kind
