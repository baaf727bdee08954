"""The loop does what a hand-written one does, and its options what they say."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.parts import Parts
from torchdoctor.train.log import History
from torchdoctor.train.loop import LoopOptions, fit, grouped

TWO = [(torch.zeros(2, 6), torch.zeros(2).long())]


def parts(seed: int = 0, *, batch_size: int = 8, n: int = 64, lr: float = 0.1, noise: float = 0.0) -> Parts:
    torch.manual_seed(seed)
    x = torch.randn(n, 6)
    y = (x[:, 0] + noise * torch.randn(n) > 0).long()
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    train, val = (
        TensorBatches(x[: n // 2], y[: n // 2], batch_size, True, seed),
        TensorBatches(x[n // 2 :], y[n // 2 :]),
    )
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))


def test_the_loop_does_bit_for_bit_what_five_plain_lines_do():
    ours, plain = parts(), parts()
    history = History(3)
    fit(ours, history)
    plain.model.train()
    for _ in range(3):
        for x, y in plain.train:
            plain.optimizer.zero_grad()
            plain.loss_fn(plain.model(x), y).backward()
            plain.optimizer.step()
    assert same(ours.model, plain.model)
    assert history.numbers["epoch"] == [0, 1, 2]
    assert set(history.numbers) == {"epoch", "train_loss", "train_score", "val_loss", "val_score"}
    with torch.no_grad():
        right = [(plain.model(x).argmax(1) == y).float().mean().item() for x, y in plain.val]
    assert history.numbers["val_score"][-1] == pytest.approx(right[0])


def test_accumulated_batches_make_the_step_of_one_large_batch():
    small, large = parts(batch_size=4), parts(batch_size=8)
    fit(small, History(2), LoopOptions(accumulate=2))
    fit(large, History(2))
    for a, b in zip(small.model.parameters(), large.model.parameters()):
        assert torch.allclose(a, b, atol=1e-6)


def test_an_incomplete_last_group_counts_fully():
    assert [len(group) for group in grouped(range(7), 3)] == [3, 3, 1]
    three, whole = parts(batch_size=8, n=48), parts(batch_size=8, n=48)  # 24 samples, 3 batches
    steps: list[int] = []
    fit(three, History(1), LoopOptions(accumulate=2), on_step=lambda at: steps.append(at.step))
    assert steps == [1, 2]
    batches = list(whole.train)
    for group in (batches[:2], batches[2:]):
        whole.optimizer.zero_grad()
        for x, y in group:
            (whole.loss_fn(whole.model(x), y) / len(group)).backward()
        whole.optimizer.step()
    assert same(three.model, whole.model)


def test_gradients_that_were_left_behind_do_not_reach_the_first_step():
    clean, dirty = parts(), parts()
    for p in dirty.model.parameters():
        p.grad = torch.ones_like(p)
    fit(clean, History(1))
    fit(dirty, History(1))
    assert same(clean.model, dirty.model)


def test_no_step_is_longer_than_clipping_allows():
    p = parts(lr=1.0, batch_size=32)
    p.optimizer.param_groups[0]["momentum"] = 0.0
    before = [w.detach().clone() for w in p.model.parameters()]
    fit(p, History(1), LoopOptions(clip_norm=1e-3))
    moved = math.sqrt(sum((a - b.detach()).square().sum().item() for a, b in zip(before, p.model.parameters())))
    assert 0.5e-3 < moved <= 1.001e-3


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_and_keeps_weights_in_full(precision):
    p = parts(lr=0.05)
    seen: set[torch.dtype] = set()
    p.model[0].register_forward_hook(lambda _m, _i, output: seen.add(output.dtype))
    history = History(15)
    fit(p, history, LoopOptions(precision=precision))
    assert seen == {torch.bfloat16 if precision == "bf16" else torch.float16}
    assert {w.dtype for w in p.model.parameters()} == {torch.float32}
    assert history.numbers["train_loss"][-1] < 0.5 * history.numbers["train_loss"][0]


def test_the_schedule_is_stepped_once_an_epoch():
    p = parts(lr=0.8)
    p = Parts(p.model, p.loss_fn, p.optimizer, p.train, p.val, torch.optim.lr_scheduler.StepLR(p.optimizer, 1, 0.5))
    fit(p, History(3))
    assert p.optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_a_plateau_schedule_sees_the_validation_loss():
    p = parts(lr=0.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(p.optimizer, patience=1)
    fit(Parts(p.model, p.loss_fn, p.optimizer, p.train, p.val, plateau), History(3))
    assert plateau.num_bad_epochs > 0 or plateau.best < math.inf


def test_patience_outlasts_a_temporary_fall_and_brings_the_best_weights_back():
    p = parts()
    scores = iter([0.5, 0.9, 0.2, 0.3, 0.95, 0.1, 0.1, 0.1, 0.1])
    kept: list[dict[str, torch.Tensor]] = []

    def told(model: nn.Module, _loader: object) -> float:
        kept.append(copy.deepcopy(model.state_dict()))
        return next(scores)

    history = History(9)
    fit(p, history, LoopOptions(patience=3, score=told))
    assert history.numbers["val_score"] == [0.5, 0.9, 0.2, 0.3, 0.95, 0.1, 0.1, 0.1]
    assert all(torch.equal(t, kept[4][name]) for name, t in p.model.state_dict().items())


def test_training_goes_without_validation():
    p = parts()
    history = History(2)
    fit(Parts(p.model, p.loss_fn, p.optimizer, p.train), history)
    assert set(history.numbers) == {"epoch", "train_loss", "train_score"}


def test_a_run_whose_weights_are_lost_ends_with_that_epoch():
    model = nn.Linear(3, 1)
    batches = [(torch.randn(8, 3), torch.randn(8, 1)) for _ in range(4)]
    history = History(50)
    fit(Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=1e20), batches), history)
    assert len(history.numbers["epoch"]) < 5 and not math.isfinite(history.numbers["train_loss"][-1])


def test_threads_are_put_back_afterwards():
    before, inside = torch.get_num_threads(), []
    fit(parts(), History(1), LoopOptions(threads=1), on_step=lambda _: inside.append(torch.get_num_threads()))
    assert set(inside) == {1} and torch.get_num_threads() == before


def test_several_inputs_reach_the_model_in_their_order():
    class Difference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.zeros(1))

        def forward(self, a, b):
            return self.w * (a - b)

    a, b = torch.randn(16, 1), torch.randn(16, 1)
    model = Difference()
    fit(Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.3), [(a, b, 2 * (a - b))]), History(60))
    assert model.w.item() == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(
    ("train", "loss_fn", "said"),
    [
        ([], nn.CrossEntropyLoss(), "train is empty"),
        ([{"x": torch.zeros(2, 6)}], nn.CrossEntropyLoss(), "gives dicts"),
        (
            [(torch.zeros(2, 6), torch.zeros(2).long())],
            nn.CrossEntropyLoss(reduction="none"),
            r"\(2,\) numbers, not one",
        ),
        ([(torch.zeros(2, 6), torch.zeros(2).long())], lambda o, t: 1.0, "a float: return the loss without"),
        ([(torch.zeros(2, 6), torch.zeros(2).long())], lambda o, t: None, "None: is its `return` missing"),
        ([(torch.zeros(2, 6), torch.zeros(2).long())], lambda o, t: (o.sum(), t.sum()), "a tuple: return one tensor"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(train, loss_fn, said):
    p = parts()
    with pytest.raises(BadParts, match=said) as refused:
        fit(Parts(p.model, loss_fn, p.optimizer, train), History(1))
    assert "\n" not in str(refused.value)
