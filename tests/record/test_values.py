"""Each signal against the slow and obvious computation, in double precision and plain loops."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from steady import Hand
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from torchdoctor.judge.judge import judge
from torchdoctor.judge.trace import Trace
from torchdoctor.record.reading import Reading
from torchdoctor.record.watch import watch

pytestmark = pytest.mark.usefixtures("every_step")


def norm(tensors: Iterable[Tensor | None]) -> float:
    """L2 norm of all together: a plain loop over plain floats."""
    return math.sqrt(math.fsum(x * x for t in tensors if t is not None for x in t.detach().double().flatten().tolist()))


def net(width: int = 8) -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 3))


def data(n: int = 12) -> tuple[Tensor, Tensor]:
    return torch.randn(n, 6), torch.randint(3, (n,))


def values(trace: Trace, signal: str, subject: str = "") -> list[float]:
    return list(trace.data[signal][subject].values)


def alarms(trace: Trace) -> list[str]:
    return [f.name for f in judge(trace) if f.alarm]


# -- gradients --------------------------------------------------------------------------------------------------------


def test_the_gradient_norm_is_taken_before_clipping_and_what_the_optimizer_got_after() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 1e-9)
    true, clipped = [], []
    with watch(model, optimizer, tell=False) as w:
        for scale in (1000.0, 1.0, 30_000.0):
            optimizer.zero_grad()
            (scale * F.cross_entropy(model(x), y)).backward()
            true.append(norm(p.grad for p in model.parameters()))
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            clipped.append(norm(p.grad for p in model.parameters()))
            optimizer.step()
    assert values(w.trace(), "grad_norm") == pytest.approx(true, rel=1e-5)
    assert values(w.trace(), "step_grad_norm") == pytest.approx(clipped, rel=1e-5)
    assert max(clipped) < 0.11 < 100 < max(true)


def test_the_gradient_of_each_parameter_and_whether_it_has_one() -> None:
    model, (x, y) = net(), data()
    model.unused = nn.Linear(4, 4)
    model[2].bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    by_hand: dict[str, float] = {}
    with watch(model, optimizer, tell=False) as w:
        F.cross_entropy(model[2](model[1](model[0](x))), y).backward()
        by_hand = {n: norm([p.grad]) for n, p in model.named_parameters() if p.grad is not None}
        optimizer.step()
    trace = w.trace()
    assert {n: s.last for n, s in trace.each("param_grad_norm")} == pytest.approx(by_hand, rel=1e-5)
    assert {n: s.last for n, s in trace.each("has_grad")} == {
        "0.weight": 1, "0.bias": 1, "2.weight": 1, "unused.weight": 0, "unused.bias": 0
    }  # fmt: skip


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("given", ["loss_fn", "nothing"])
def test_accumulated_gradients_and_losses_belong_to_one_step(to_none: bool, given: str) -> None:
    model, loss_fn = net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    norms, mean, total = [], [], []
    with watch(model, optimizer, loss_fn if given == "loss_fn" else None, tell=False) as w:
        for _ in range(5):
            optimizer.zero_grad(set_to_none=to_none)
            losses = []
            for _ in range(4):
                x, y = data()
                loss = loss_fn(model(x), y)
                (loss / 2).backward()
                losses.append(loss.item())
            mean.append(sum(losses) / 4)
            total.append(sum(losses) / 2)
            norms.append(norm(p.grad for p in model.parameters()))
            optimizer.step()
    trace = w.trace()
    assert values(trace, "loss") == pytest.approx(mean if given == "loss_fn" else total, rel=1e-5)
    assert trace.facts["loss_from"] == (given if given == "loss_fn" else "backward")
    assert values(trace, "grad_norm") == pytest.approx(norms, rel=1e-5)
    assert values(trace, "stale_grad_norm") == [0] * 5
    assert not trace.takes_turns


@pytest.mark.parametrize("fused", [False, True])
def test_the_scale_of_a_grad_scaler_is_divided_out(fused: bool) -> None:
    model, loss_fn, (x, y) = net(), nn.CrossEntropyLoss(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses, norms = [], []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(4):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            losses.append(loss.item())
            norms.append(norm(torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)))
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    trace = w.trace()
    assert values(trace, "loss") == pytest.approx(losses, rel=1e-5)
    assert values(trace, "grad_norm") == pytest.approx(norms, rel=1e-4)
    assert values(trace, "step_grad_norm") == pytest.approx(norms, rel=1e-4)
    assert not trace["skipped_step"].values.any()


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_a_grad_scaler_leaves_out_is_recorded_as_skipped(fused: bool) -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with watch(model, optimizer, tell=False) as w:
        for factor in (1, 1, 1e38, 1):
            optimizer.zero_grad()
            scaler.scale(F.cross_entropy(model(x), y) * factor).backward()
            scaler.step(optimizer)
            scaler.update()
    trace = w.trace()
    skipped = trace["skipped_step"]
    assert list(skipped.steps[skipped.values == 1]) == [2]
    assert list(trace["loss"].steps) == [0, 1, 2, 3]
    assert not alarms(trace)


def test_a_disabled_grad_scaler_changes_nothing() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    losses = []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            losses.append(loss.item())
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
    assert values(w.trace(), "loss") == pytest.approx(losses)
    assert not w.trace().has("skipped_step")


def test_two_networks_under_one_scaler_skip_nothing_while_all_is_finite() -> None:
    first, second, (x, y) = net(), net(), data()
    a, b = torch.optim.SGD(first.parameters(), 0.1), torch.optim.SGD(second.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    with watch(first, a, tell=False) as wa, watch(second, b, tell=False) as wb:
        for _ in range(6):
            a.zero_grad()
            scaler.scale(F.cross_entropy(first(x), y)).backward()
            scaler.step(a)
            b.zero_grad()
            scaler.scale(F.cross_entropy(second(first(x).detach().repeat(1, 2)), y)).backward()
            scaler.step(b)
            scaler.update()
    for w in (wa, wb):
        assert not w.trace().has("skipped_step")
        assert list(w.trace()["grad_norm"].steps) == list(range(6))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_gradient_norms_neither_overflow_nor_round_in_other_precisions(dtype: torch.dtype) -> None:
    model = nn.Linear(6, 3).to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), 1e-9)
    with watch(model, optimizer, tell=False) as w:
        for p in model.parameters():
            p.grad = torch.full_like(p, 30_000.0)  # their norm is above the greatest number of float16
        by_hand = norm(p.grad for p in model.parameters())
        optimizer.step()
    assert values(w.trace(), "grad_norm") == pytest.approx([by_hand], rel=1e-5)
    assert by_hand > 1e5
    assert not w.trace().has("nonfinite_gradient")


def test_sparse_gradients_have_the_norm_of_their_dense_form() -> None:
    model = nn.Embedding(20, 4, sparse=True)
    optimizer = torch.optim.SparseAdam(model.parameters(), 1e-2)
    by_hand = []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.tensor([1, 1, 1, 7])).square().sum().backward()
            assert model.weight.grad is not None
            by_hand.append(norm([model.weight.grad.to_dense()]))
            optimizer.step()
    assert values(w.trace(), "grad_norm") == pytest.approx(by_hand, rel=1e-5)


def on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the way that a GPU takes, where no value may be waited for: all stay tensors until the flush."""
    list_parameters = Reading.list_parameters

    def listed(self: Reading) -> None:
        list_parameters(self)
        self.cpu = False

    monkeypatch.setattr(Reading, "list_parameters", listed)


@pytest.mark.parametrize("kind", ["loss_fn", "backward", "scaler", "fused scaler", "closure"])
def test_values_that_stay_on_the_device_until_the_flush_are_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained() -> Trace:
        torch.manual_seed(0)
        model, loss_fn = net(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.5, fused=kind == "fused scaler")
        scaler = torch.amp.GradScaler("cpu", init_scale=512.0, enabled="scaler" in kind)
        with watch(model, optimizer, loss_fn if kind == "loss_fn" else None, tell=False) as w:
            for i in range(6):
                batches = [data(), data()]

                def closure() -> None:
                    optimizer.zero_grad(set_to_none=False)
                    for x, y in batches:  # noqa: B023 - called at once
                        scaler.scale(loss_fn(model(x), y) * (1e38 if i == 3 and "scaler" in kind else 1)).backward()  # noqa: B023

                if kind == "closure":
                    optimizer.step(closure)
                else:
                    closure()
                    scaler.step(optimizer)
                    scaler.update()
        return w.trace()

    here = trained()
    on_the_device(monkeypatch)
    there = trained()
    assert set(here.data) - set(there.data) <= {"nonfinite_module", "nonfinite_gradient"}
    for name in {n for n in there.data if n != "phase_time" and "memory" not in n}:
        for subject, series in there.each(name):
            assert series.steps.tolist() == here.data[name][subject].steps.tolist(), name
            assert series.values == pytest.approx(here.data[name][subject].values, rel=1e-5, nan_ok=True), name
    assert here.has("loss") and here.has("grad_norm") and (here.has("skipped_step") == ("scaler" in kind))


# -- updates ----------------------------------------------------------------------------------------------------------


def test_update_ratio_and_weight_norm_against_weights_copied_by_hand() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.Adam([{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.0}], 0.1)
    ratios: dict[str, list[float]] = {n: [] for n, _ in model.named_parameters()}
    lengths: dict[str, list[float]] = {n: [] for n, _ in model.named_parameters()}
    with watch(model, optimizer, tell=False) as w:
        for _ in range(5):
            before = {n: p.detach().clone() for n, p in model.named_parameters()}
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            for n, p in model.named_parameters():
                ratios[n].append(norm([p - before[n]]) / norm([before[n]]))
                lengths[n].append(norm([before[n]]))
    for name in ratios:
        assert values(w.trace(), "update_ratio", name) == pytest.approx(ratios[name], rel=1e-4)
        assert values(w.trace(), "weight_norm", name) == pytest.approx(lengths[name], rel=1e-5)
    assert ratios["2.weight"] == [0.0] * 5


def test_large_parameters_are_compared_by_an_even_choice_of_their_elements() -> None:
    model = nn.Linear(1000, 1000, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = model.weight.detach().clone()
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(8, 1000)).square().mean().backward()
        optimizer.step()
    moved = (model.weight - before).norm().item() / before.norm().item()
    assert values(w.trace(), "update_ratio", "weight") == pytest.approx([moved], rel=0.02)
    assert values(w.trace(), "weight_norm", "weight") == pytest.approx([before.norm().item()], rel=0.02)


def test_the_learning_rate_of_every_group_is_recorded_when_one_changes() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD([{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 1.0}], 0.5)
    with watch(model, optimizer, tell=False) as w:
        for i in range(9):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if i % 4 == 3:
                optimizer.param_groups[1]["lr"] /= 10
    first, second = w.trace().data["lr"]["0"], w.trace().data["lr"]["1"]
    assert list(first.steps) == list(second.steps) == [0, 4, 8]
    assert list(first.values) == [0.5] * 3
    assert list(second.values) == pytest.approx([1.0, 0.1, 0.01])


def test_units_that_equal_the_first_are_counted_without_it() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].weight.fill_(0.3)
        model[1].weight[3] = model[1].weight[0]
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(3, 4)).sum().backward()
        optimizer.step()
    got = {n: s.last for n, s in w.trace().each("identical_rows")}
    assert got == pytest.approx({"0.weight": 1.0, "1.weight": 1 / 3})


# -- loops ------------------------------------------------------------------------------------------------------------


def test_a_loop_that_never_clears_its_gradients_is_told_within_its_first_two_steps() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    left = []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            left.append(norm(p.grad for p in model.parameters()))
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert values(w.trace(), "stale_grad_norm") == pytest.approx(left, rel=1e-5)
    assert left[1] > 0
    assert "missing-zero-grad" in alarms(w.trace())


@pytest.mark.parametrize("to_none", [True, False])
def test_gradients_cleared_between_backward_and_step_are_not_what_the_optimizer_got(to_none: bool) -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            F.cross_entropy(model(x), y).backward()
            optimizer.zero_grad(set_to_none=to_none)
            optimizer.step()
    trace = w.trace()
    assert values(trace, "step_grad_norm") == [0.0] * 3
    assert min(values(trace, "grad_norm")) > 0
    assert "misplaced-zero-grad" in alarms(trace)


@pytest.mark.parametrize("to_none", [True, False])
def test_a_correct_gan_loop_gives_each_network_its_own_losses_and_no_stale_gradients(to_none: bool) -> None:
    g, d = nn.Linear(4, 6), nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    criterion = nn.BCEWithLogitsLoss()
    one, zero = torch.ones(8, 1), torch.zeros(8, 1)
    g_losses, d_losses, d_norms = [], [], []
    with watch(g, g_opt, tell=False) as wg, watch(d, d_opt, criterion, tell=False) as wd:
        for _ in range(6):
            d_opt.zero_grad(set_to_none=to_none)
            fake = g(torch.randn(8, 4))
            real_loss = criterion(d(torch.randn(8, 6)), one)
            real_loss.backward()
            fake_loss = criterion(d(fake.detach()), zero)
            fake_loss.backward()
            d_norms.append(norm(p.grad for p in d.parameters()))
            d_opt.step()
            g_opt.zero_grad(set_to_none=to_none)
            g_loss = criterion(d(fake), one)
            g_loss.backward()
            g_opt.step()
            d_losses.append((real_loss.item() + fake_loss.item()) / 2)
            g_losses.append(g_loss.item())
    assert values(wg.trace(), "loss") == pytest.approx(g_losses, rel=1e-5)
    assert values(wd.trace(), "loss") == pytest.approx(d_losses, rel=1e-5)
    assert values(wd.trace(), "grad_norm") == pytest.approx(d_norms, rel=1e-5)
    for w in (wg, wd):
        assert values(w.trace(), "stale_grad_norm") == [0.0] * 6
        assert w.trace().takes_turns
        assert not alarms(w.trace())


@pytest.mark.parametrize("to_none", [True, False])
def test_two_players_in_one_module_have_no_stale_gradients_when_each_optimizer_clears_its_own(to_none: bool) -> None:
    players = nn.ModuleDict({"maker": nn.Linear(4, 6), "critic": nn.Linear(6, 1)})
    optimizers = {name: torch.optim.Adam(player.parameters(), 1e-3) for name, player in players.items()}
    criterion, one, zero = nn.BCEWithLogitsLoss(), torch.ones(8, 1), torch.zeros(8, 1)
    with watch(players, optimizers["critic"], tell=False) as w:
        for _ in range(6):
            fake = players["maker"](torch.randn(8, 4))
            told = criterion(players["critic"](torch.randn(8, 6)), one) + criterion(
                players["critic"](fake.detach()), zero
            )
            optimizers["critic"].zero_grad(set_to_none=to_none)
            told.backward()
            optimizers["critic"].step()
            optimizers["maker"].zero_grad(set_to_none=to_none)
            criterion(players["critic"](fake), one).backward()
            optimizers["maker"].step()
    assert values(w.trace(), "stale_grad_norm") == [0.0] * 6
    assert "missing-zero-grad" not in alarms(w.trace())


def test_two_networks_trained_side_by_side_keep_their_losses_apart() -> None:
    first, second, (x, y) = net(), net(), data()
    a, b = torch.optim.SGD(first.parameters(), 0.1), torch.optim.SGD(second.parameters(), 0.1)
    losses: tuple[list[float], list[float]] = ([], [])
    with watch(first, a, tell=False) as wa, watch(second, b, tell=False) as wb:
        for _ in range(5):
            a.zero_grad()
            b.zero_grad()
            for model, kept in ((first, losses[0]), (second, losses[1])):
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                kept.append(loss.item())
            a.step()
            b.step()
    assert values(wa.trace(), "loss") == pytest.approx(losses[0], rel=1e-5)
    assert values(wb.trace(), "loss") == pytest.approx(losses[1], rel=1e-5)


def test_gradients_from_autograd_grad_are_read_when_the_optimizer_gets_them() -> None:
    model, loss_fn, (x, y) = net(), nn.CrossEntropyLoss(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses, norms = [], []
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for _ in range(4):
            loss = loss_fn(model(x), y)
            losses.append(loss.item())
            for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
                p.grad = g
            norms.append(norm(p.grad for p in model.parameters()))
            optimizer.step()
    assert values(w.trace(), "loss") == pytest.approx(losses, rel=1e-5)
    assert values(w.trace(), "grad_norm") == pytest.approx(norms, rel=1e-5)
    assert w.trace().facts["loss_from"] == "loss_fn"


def test_scaled_gradients_from_autograd_grad_are_read_when_they_are_unscaled() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    norms = []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            loss = F.cross_entropy(model(x), y)
            norms.append(norm(torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)))
            for p, g in zip(model.parameters(), torch.autograd.grad(scaler.scale(loss), list(model.parameters()))):
                p.grad = g
            scaler.step(optimizer)
            scaler.update()
    assert values(w.trace(), "grad_norm") == pytest.approx(norms, rel=1e-4)


def test_a_siamese_loop_calls_its_model_several_times_a_step() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(4):
            x, _ = data()
            optimizer.zero_grad()
            loss = F.triplet_margin_loss(model(x), model(x + 0.01), model(x.flip(0)))
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
    assert values(w.trace(), "loss") == pytest.approx(losses, rel=1e-5)
    assert values(w.trace(), "input_mean") == pytest.approx([x.double().mean().item()] * 4, abs=2)
    assert list(w.trace()["grad_norm"].steps) == [0, 1, 2, 3]


def test_a_loop_whose_whole_step_is_a_closure_is_read_as_any_other() -> None:
    """As Lightning trains: zero_grad, forward, backward and clipping are all called by optimizer.step(closure)."""
    model, (x, y) = net(), data()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses, true, clipped = [], [], []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        losses.append(loss.item())
        true.append(norm(p.grad for p in model.parameters()))
        nn.utils.clip_grad_norm_(model.parameters(), 0.05)
        clipped.append(norm(p.grad for p in model.parameters()))
        return loss

    with watch(model, optimizer, tell=False) as w:
        for _ in range(5):
            optimizer.step(closure)
    trace = w.trace()
    assert values(trace, "loss") == pytest.approx(losses, rel=1e-5)
    assert values(trace, "grad_norm") == pytest.approx(true, rel=1e-5)
    assert values(trace, "step_grad_norm") == pytest.approx(clipped, rel=1e-5)
    assert values(trace, "stale_grad_norm") == [0.0] * 5
    assert {len(s) for _, s in trace.each("phase_time")} == {5}
    assert not alarms(trace) and not trace.takes_turns


@pytest.mark.parametrize("given", ["loss_fn", "nothing"])
def test_of_a_closures_tries_the_last_one_counts(given: str) -> None:
    model, loss_fn, (x, y) = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)), nn.CrossEntropyLoss(), data()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    last: list[float] = []
    norms: list[float] = []
    tries = 0

    def closure() -> Tensor:
        nonlocal tries
        tries += 1
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        last[:] = [loss.item()]
        return loss

    kept = []
    with watch(model, optimizer, loss_fn if given == "loss_fn" else None, tell=False) as w:
        for _ in range(4):
            optimizer.step(closure)
            kept += last
            norms.append(norm(p.grad for p in model.parameters()))
    trace = w.trace()
    assert tries > 8
    assert values(trace, "loss") == pytest.approx(kept, rel=1e-5)
    assert values(trace, "grad_norm") == pytest.approx(norms, rel=1e-4)
    assert values(trace, "step_grad_norm") == pytest.approx(norms, rel=1e-4)
    assert values(trace, "stale_grad_norm") == [0.0] * 4
    assert not trace.takes_turns
    assert not alarms(trace)


def test_validation_without_no_grad_does_not_enter_the_training_loss() -> None:
    model, loss_fn = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3)), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for _ in range(6):
            model.eval()
            total = 0.0
            for _ in range(3):
                x, y = data()
                total += loss_fn(1000 * model(x), y)
            model.train()
            x, y = data()
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            (loss / 4).backward()
            optimizer.step()
            losses.append(loss.item())
    assert values(w.trace(), "loss") == pytest.approx(losses, rel=1e-5)
    assert values(w.trace(), "training_mode") == [1.0] * 6


def test_training_in_eval_mode_is_seen() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model.eval(), optimizer, tell=False) as w:
        for _ in range(3):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert values(w.trace(), "training_mode") == [0.0] * 3


def test_reentrant_checkpoints_do_not_count_as_backward_passes_of_the_loop() -> None:
    inner = nn.Sequential(nn.Linear(8, 8), nn.Tanh())

    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner, self.last = nn.Linear(6, 8), inner, nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.utils.checkpoint.checkpoint(self.inner, self.first(x), use_reentrant=True))

    model, (x, y) = Deep(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses, norms = [], []
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            losses.append(loss.item())
            norms.append(norm(p.grad for p in model.parameters()))
            optimizer.step()
    assert values(w.trace(), "loss") == pytest.approx(losses, rel=1e-5)
    assert values(w.trace(), "grad_norm") == pytest.approx(norms, rel=1e-5)
    assert not w.trace().takes_turns


def test_a_model_that_calls_itself_is_one_forward_pass(hand: Hand) -> None:
    class Tree(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.leaf = nn.Linear(6, 6)

        def forward(self, x: Tensor, depth: int = 2) -> Tensor:
            hand.passes(0.002)
            return torch.tanh(self.leaf(x if depth == 0 else self(x, depth - 1) + self(x, depth - 1)))

    model = Tree()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(torch.randn(4, 6)).sum()
            loss.backward()
            optimizer.step()
            assert not model.leaf._forward_hooks
    assert w.trace().data["phase_time"]["forward"].last == pytest.approx(7 * 0.002, rel=0.01)


# -- time -------------------------------------------------------------------------------------------------------------


class Slow(Dataset[Tensor]):
    def __init__(self, hand: Hand) -> None:
        self.hand = hand

    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> Tensor:
        self.hand.passes(0.004)
        return torch.full((6,), float(i))


@pytest.mark.parametrize("ahead", [False, True])
def test_the_phases_of_a_step_add_up_to_its_time_and_a_slow_loader_is_seen(ahead: bool, hand: Hand) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    ends, own = [], []
    with watch(model, optimizer, tell=False) as w:
        batches = iter(DataLoader(Slow(hand), batch_size=2))
        x = next(batches)
        while x is not None:
            optimizer.zero_grad()
            loss = model(x).square().sum()
            if ahead:
                x = next(batches, None)  # the next batch, before this one's backward
            loss.backward()
            hand.passes(0.003)
            optimizer.step()
            ends.append(hand.now)
            own.append(w._follower.clock.own)
            if not ahead:
                x = next(batches, None)
    phases = {p: s.values for p, s in w.trace().each("phase_time")}
    assert list(phases) == ["data", "forward", "backward", "optimizer", "rest"]
    took = np.diff(ends) - np.diff(own)  # of all steps but the first
    assert sum(phases.values())[1:] == pytest.approx(took, abs=1e-5)
    assert phases["rest"] == pytest.approx(0.003, abs=1e-4)
    assert phases["data"][:3] == pytest.approx([0.016 if ahead else 0.008, 0.008, 0.008], abs=1e-4)


def test_a_model_that_is_not_called_as_such_still_has_its_wait_for_data_counted(hand: Hand) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        for x in DataLoader(Slow(hand), batch_size=2):
            optimizer.zero_grad()
            model.forward(x).square().sum().backward()
            optimizer.step()
    assert w.trace().data["phase_time"]["data"].values == pytest.approx(0.008, abs=1e-4)


def test_time_spent_on_evaluation_is_rest_not_data(hand: Hand) -> None:
    model, loader = net(), DataLoader(Slow(hand), batch_size=8)
    x, y = data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                for batch in loader:
                    model(batch)
    phases = w.trace().data["phase_time"]
    assert max(phases["data"].values) < 1e-4
    assert phases["rest"].values[1:] == pytest.approx(0.032, abs=1e-4)


# -- layers -----------------------------------------------------------------------------------------------------------


class Functional(nn.Module):
    """Two layers with F.relu in between, linear or convolutional."""

    def __init__(self, conv: bool, modules: bool) -> None:
        super().__init__()
        self.conv = conv
        self.first: nn.Module = nn.Conv2d(1, 8, 3) if conv else nn.Linear(16, 8)
        self.second = nn.Linear(8 * 4 if conv else 8, 3)
        self.relu = nn.ReLU() if modules else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x.view(-1, 1, 4, 4) if self.conv else x)
        h = F.relu(h) if self.relu is None else self.relu(h)
        return self.second(h.flatten(1))


@pytest.mark.parametrize("conv", [False, True])
@pytest.mark.parametrize("modules", [False, True])
def test_units_that_are_zero_for_every_sample_are_dead_and_others_are_not(conv: bool, modules: bool) -> None:
    model = Functional(conv, modules)
    with torch.no_grad():
        model.first.bias[:2] = -100.0  # two units of eight
        model.first.bias[2:] = 0.2
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(20):
            optimizer.zero_grad()
            model(torch.randn(64, 16)).square().mean().backward()
            optimizer.step()
    trace = w.trace()
    where = "relu" if modules else "first:activated"
    assert values(trace, "dead_share", where)[0] == pytest.approx(0.25)
    assert {n for n, s in trace.each("dead_share") if s.first > 0} == {where}
    assert min(values(trace, "window_samples", where)[:-1]) >= 512
    zeros = trace.data["unit_zero_share"][where].values[0].reshape(8, -1)
    assert np.all(zeros[:2] == pytest.approx(1)) and np.all(zeros[2:] < 0.99)


def test_layer_statistics_against_plain_numpy() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    with torch.no_grad():
        model[0].weight.mul_(40)  # most of tanh's outputs lie at its ends
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    x, y = data(200)
    with watch(model, optimizer, nn.CrossEntropyLoss(), tell=False) as w:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    h = torch.tanh(model[0](x)).double().detach().numpy()
    trace = w.trace()
    reach = 0.03 * (h.max() - h.min())
    near = np.mean((h <= h.min() + reach) | (h >= h.max() - reach))
    assert values(trace, "activation_mean", "1") == pytest.approx([h.mean()], abs=1e-5)
    assert values(trace, "activation_std", "1") == pytest.approx([h.std()], rel=1e-4)
    assert values(trace, "saturated_share", "1") == pytest.approx([near], abs=0.01)
    assert near > 0.6
    assert values(trace, "zero_share", "1") == [0.0]
    out = model(x).double().detach().numpy()
    for signal, value in {
        "input_mean": x.mean(), "input_std": x.double().std(correction=0), "input_absmax": x.abs().max(),
        "output_mean": out.mean(), "output_std": out.std(), "output_min": out.min(), "output_max": out.max(),
    }.items():  # fmt: skip
        assert values(trace, signal) == pytest.approx([float(value)], rel=1e-4, abs=1e-5), signal


def test_targets_are_measured_where_the_loss_is_a_module_and_they_are_numbers() -> None:
    model, loss_fn = nn.Linear(6, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    x, y = torch.randn(30, 6), 50 + 10 * torch.randn(30, 1)
    with watch(model, optimizer, loss_fn, tell=False) as w:
        loss_fn(model(x), y).backward()
        optimizer.step()
    trace = w.trace()
    assert values(trace, "target_mean") == pytest.approx([y.double().mean().item()], rel=1e-5)
    assert values(trace, "target_std") == pytest.approx([y.double().std(correction=0).item()], rel=1e-5)
    assert values(trace, "target_absmax") == pytest.approx([y.abs().max().item()], rel=1e-5)
    assert trace.facts["loss_shapes"] == {"output": [30, 1], "target": [30, 1]}


def test_parallel_branches_do_not_pass_their_common_input_off_as_an_activation() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(torch.cat([F.relu(self.a(x)), F.relu(self.b(x))], 1))

    model = Branches()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x = torch.randn(32, 6)
    x[:, 0] = 0  # an input that is always zero, like the border of a digit, is no dead unit
    with watch(model, optimizer, tell=False) as w:
        model(x).sum().backward()
        optimizer.step()
    assert list(w.trace().data["zero_share"]) == ["a", "b", "b:activated", "c"]
    assert max(s.last for _, s in w.trace().each("dead_share")) == 0


def test_layers_before_the_first_weights_have_no_units_that_could_be_dead() -> None:
    model = nn.Sequential(nn.Dropout(0.0), nn.ReLU(), nn.Flatten(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x = torch.rand(32, 1, 4, 4)
    x[:, :, 0] = 0
    with watch(model, optimizer, tell=False) as w:
        model(x).sum().backward()
        optimizer.step()
    assert list(w.trace().data["dead_share"]) == ["3", "4", "5"]


def test_a_functional_activation_is_seen_in_every_layer_of_a_deep_chain() -> None:
    class Chain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(16, 16) for _ in range(8)])

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = F.dropout(F.relu(layer(x)), 0.0)  # memory is given back and taken again all the time
            return x

    model = Chain()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(32, 16)).sum().backward()
        optimizer.step()
    seen = list(w.trace().data["zero_share"])
    assert [n for n in seen if n.endswith(":activated")] == [f"layers.{i}:activated" for i in range(7)]


@pytest.mark.parametrize("norm_by", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm])
def test_a_layer_whose_weights_are_parametrised_is_seen_and_its_parametrisation_is_not(norm_by: Any) -> None:
    model = nn.Sequential(norm_by(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(32, 6)).sum().backward()
        optimizer.step()
    assert list(w.trace().data["zero_share"]) == ["0", "1", "2"]


def test_batches_of_changing_shape_are_recorded_too() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv1d(2, 4, 3, padding=1), nn.LazyLinear(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv2(F.relu(self.conv(x))).mean((1, 2))

    model = Mean()
    model.conv2 = nn.Conv1d(4, 4, 3, padding=1)
    del model.out
    lengths = nn.Linear(5, 5)
    model.more = lengths
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        for k in range(40):
            optimizer.zero_grad()
            model(torch.randn(4 + k % 3, 2, 5 + k % 4)).sum().backward()
            optimizer.step()
    assert "everything" not in w.trace().facts["signals_off"]
    assert len(w.trace()["loss"]) == 40


def test_sparse_nested_and_complex_tensors_stop_neither_training_nor_watching() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.out = nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            wave = torch.fft.fft(self.linear(x))
            return self.out(wave.real)

    model = Odd()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(4, 6).relu().to_sparse()).sum().backward()
            optimizer.step()
    assert w.trace().facts["signals_off"].get("everything") is None
    assert len(w.trace()["loss"]) == 3


def test_an_attention_layer_and_a_recurrent_one_are_leaves_of_their_own() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.lstm = nn.Embedding(9, 8), nn.LSTM(8, 8, batch_first=True)
            self.attend, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 9)

        def forward(self, ids: Tensor) -> Tensor:
            h, _ = self.lstm(self.embed(ids))
            return self.out(self.attend(h, h, h)[0])

    model = Mixed()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        ids = torch.randint(9, (4, 5))
        F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
        optimizer.step()
    assert list(w.trace().data["activation_std"]) == ["embed", "lstm", "attend", "out"]


def test_a_weight_shared_by_two_layers_is_recorded_once() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(3, 4)).sum().backward()
        optimizer.step()
    assert list(w.trace().data["update_ratio"]) == ["0.weight", "0.bias", "1.bias"]


def test_memory_is_a_plausible_number_of_bytes() -> None:
    model, (x, y) = net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    if w.trace().has("memory"):  # there is a /proc
        assert 5e7 < w.trace()["memory"].last < 5e11


def test_a_loader_over_tensors_trains_a_healthy_net_without_an_alarm() -> None:
    x = torch.randn(256, 6)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    model, loss_fn = net(32), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for _ in range(8):
            for a, b in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss_fn(model(a), b).backward()
                optimizer.step()
    assert not alarms(w.trace())
    assert w.trace()["loss"].last < 0.5 * w.trace()["loss"].first


def test_gradients_of_what_the_optimizer_does_not_hold_are_not_left_over() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    with watch(model, optimizer, cost=1.0, tell=False) as w:
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).square().mean().backward()
            optimizer.step()
    assert model[0].weight.grad is not None  # it added up over all steps, and nobody uses it
    assert values(w.trace(), "stale_grad_norm") == [0.0] * 5


def test_of_a_weighted_mean_of_losses_the_weighted_mean_is_recorded() -> None:
    torch.manual_seed(0)
    model, loss_fn, seen = nn.Linear(4, 3), nn.CrossEntropyLoss(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, loss_fn, cost=1.0, tell=False) as w:
        for share in (0.9, 0.2, 0.5, 0.99):
            x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
            output = model(x)
            loss = share * loss_fn(output, y) + (1 - share) * loss_fn(output, y.flip(0))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
    assert values(w.trace(), "loss") == pytest.approx(seen)
