"""Watching changes nothing: weights, buffers, optimizer state and random numbers keep every bit of a bare run's."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.record.cost import Ceiling
from torchdoctor.record.watch import watch

STEPS = 200
Step = Callable[[int], None]
Setup = Callable[[], tuple[nn.Module, Optimizer, Any, Step]]  # model, optimizer, loss_fn to watch, one step


def batch(step: int, *shape: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    """From a generator of its own, so that only the network and the watch draw from the global one."""
    g = torch.Generator().manual_seed(step)
    return torch.randn(*shape, generator=g), torch.randint(classes, shape[:1], generator=g)


def plain(model: nn.Module, optimizer: Optimizer, *shape: int) -> tuple[nn.Module, Optimizer, Any, Step]:
    loss_fn = nn.CrossEntropyLoss()

    def step(i: int) -> None:
        x, y = batch(i, *shape)
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()

    return model, optimizer, loss_fn, step


def mlp(*extra: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 16), *extra, nn.ReLU(), nn.Linear(16, 3))


def sgd_momentum() -> Any:
    model = mlp()
    return plain(model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True), 8, 6)


def adam() -> Any:
    model = mlp()
    return plain(model, torch.optim.Adam(model.parameters(), 1e-2), 8, 6)


def adamw_two_groups() -> Any:
    model = mlp()
    groups = [{"params": model[0].parameters(), "lr": 1e-3}, {"params": model[2].parameters(), "weight_decay": 0.1}]
    return plain(model, torch.optim.AdamW(groups, lr=1e-2, amsgrad=True), 8, 6)


def fused_adam() -> Any:
    model = mlp()
    return plain(model, torch.optim.Adam(model.parameters(), 1e-2, fused=True), 8, 6)


def batch_norm_and_dropout() -> Any:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout2d(0.3), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(4 * 16, 3),
    )  # fmt: skip
    return plain(model, torch.optim.SGD(model.parameters(), 0.05, momentum=0.9), 6, 1, 6, 6)


class Tagger(nn.Module):
    """An LSTM whose state is carried from batch to batch, cut off from its past."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(6, 8, num_layers=2, dropout=0.2, batch_first=True), nn.Linear(8, 3)
        self.state: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        y, (h, c) = self.lstm(x, self.state)
        self.state = (h.detach(), c.detach())
        return self.out(y[:, -1])


def lstm() -> Any:
    model = Tagger()
    return plain(model, torch.optim.RMSprop(model.parameters(), 1e-3), 4, 5, 6)


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.start, self.body = nn.Linear(6, 8), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.out(self.body(self.start(x), mask=mask).mean(1))


def transformer() -> Any:
    model = Reader()
    return plain(model, torch.optim.AdamW(model.parameters(), 1e-3), 4, 5, 6)


def autocast_bf16() -> Any:
    model = mlp(nn.LayerNorm(16), nn.Dropout(0.2))
    optimizer, loss_fn = torch.optim.Adam(model.parameters(), 1e-2), nn.CrossEntropyLoss()

    def step(i: int) -> None:
        x, y = batch(i, 8, 6)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()

    return model, optimizer, loss_fn, step


def scaler_with_skipped_steps() -> Any:
    model = mlp()
    optimizer, loss_fn = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9), nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20, growth_interval=20)

    def step(i: int) -> None:
        x, y = batch(i, 8, 6)
        x = x * (1e6 if i % 37 == 5 else 1)  # too much for float16: the scaler must leave such steps out
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            loss = loss_fn(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

    return model, optimizer, loss_fn, step


def lbfgs() -> Any:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer, loss_fn = torch.optim.LBFGS(model.parameters(), max_iter=3, line_search_fn="strong_wolfe"), None

    def step(i: int) -> None:
        x, y = batch(i % 5, 16, 6)

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y) + 1e-3 * sum(p.square().sum() for p in model.parameters())
            loss.backward()
            return loss

        optimizer.step(closure)

    return model, optimizer, loss_fn, step


def accumulation_and_clipping() -> Any:
    model = mlp(nn.Dropout(0.1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=STEPS + 1)

    def step(i: int) -> None:
        optimizer.zero_grad(set_to_none=False)
        for k in range(3):
            x, y = batch(3 * i + k, 8, 6)
            (F.cross_entropy(model(x), y) / 3).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()

    return model, optimizer, None, step


def sparse_embedding() -> Any:
    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.more = nn.Embedding(50, 6, sparse=True), nn.EmbeddingBag(50, 3, sparse=True)

        def forward(self, ids: Tensor) -> Tensor:
            return self.more(ids) + self.words(ids).mean(1)[:, :3]

    model = Bag()
    optimizer = torch.optim.SparseAdam(model.parameters(), 1e-2)

    def step(i: int) -> None:
        ids = torch.randint(50, (4, 5), generator=torch.Generator().manual_seed(i))
        optimizer.zero_grad()
        model(ids).square().mean().backward()
        optimizer.step()

    return model, optimizer, None, step


def gradient_penalty() -> Any:
    model = nn.Sequential(nn.Linear(6, 16), nn.Softplus(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step(i: int) -> None:
        x = batch(i, 8, 6)[0].requires_grad_()
        optimizer.zero_grad()
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        (model(x).mean() + 10 * (slope.norm(dim=1) - 1).square().mean()).backward()
        optimizer.step()

    return model, optimizer, None, step


def backward_with_graph() -> Any:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)

    def step(i: int) -> None:
        optimizer.zero_grad()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch advises against it, once a process
            model(batch(i, 8, 6)[0]).square().mean().backward(create_graph=True)
        curvature = sum(p.grad.square().sum() for p in model.parameters() if p.grad is not None)
        optimizer.zero_grad()
        (1e-2 * curvature).backward()
        optimizer.step()

    return model, optimizer, None, step


def tied_weights() -> Any:
    class Coder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(12, 8), nn.Linear(8, 12, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, ids: Tensor) -> Tensor:
            return self.head(torch.tanh(self.embed(ids)))

    model = Coder()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)

    def step(i: int) -> None:
        ids = torch.randint(12, (16,), generator=torch.Generator().manual_seed(i))
        optimizer.zero_grad()
        F.cross_entropy(model(ids), ids.roll(1)).backward()
        optimizer.step()

    return model, optimizer, None, step


def averaged_copies() -> Any:
    """Copies of the running model are made, used and averaged in the middle of the run."""
    model, optimizer, loss_fn, inner = batch_norm_and_dropout()
    mean = torch.optim.swa_utils.AveragedModel(model)
    model.ema = [copy.deepcopy(model)]  # in a list, so that it is no submodule

    def step(i: int) -> None:
        inner(i)
        if i % 20 == 0:
            mean.update_parameters(model)
            twin = copy.deepcopy(model)
            twin.ema = []
            twin(batch(i, 6, 1, 6, 6)[0]).sum().backward()
            with torch.no_grad():
                for old, new in zip(model.ema[0].parameters(), twin.parameters()):
                    old.lerp_(new, 0.1)
                model.ema[0](batch(i, 6, 1, 6, 6)[0])
                if i == 100:
                    for p, q in zip(model.parameters(), model.ema[0].parameters()):
                        p.copy_(q)

    return model, optimizer, loss_fn, step


def checkpointed() -> Any:
    """Activation checkpointing runs forward passes, and with reentrant a whole backward, inside of backward."""

    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.body, self.last = nn.Linear(6, 8), mlp_block(), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.utils.checkpoint.checkpoint(self.body, self.first(x), use_reentrant=True)
            return self.last(torch.utils.checkpoint.checkpoint(self.body, x, use_reentrant=False))

    model = Deep()
    return plain(model, torch.optim.SGD(model.parameters(), 0.1), 8, 6)


def mlp_block() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.3), nn.Tanh())


def siamese() -> Any:
    model = mlp(nn.BatchNorm1d(16))
    optimizer = torch.optim.Adagrad(model.parameters(), 1e-2)

    def step(i: int) -> None:
        x, _ = batch(i, 8, 6)
        optimizer.zero_grad()
        a, b, c = model(x), model(x.flip(0)), model(x + 0.1)
        F.triplet_margin_loss(a, c, b).backward()
        optimizer.step()

    return model, optimizer, None, step


def grads_by_hand() -> Any:
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)

    def step(i: int) -> None:
        x, y = batch(i, 8, 6)
        loss = F.cross_entropy(model(x), y)
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
            p.grad = g
        optimizer.step()

    return model, optimizer, None, step


def half_precision() -> Any:
    model = mlp().to(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)

    def step(i: int) -> None:
        x, y = batch(i, 8, 6)
        optimizer.zero_grad()
        F.cross_entropy(model(x.bfloat16()).float(), y).backward()
        optimizer.step()

    return model, optimizer, None, step


def validation_between_epochs() -> Any:
    model, optimizer, loss_fn, inner = batch_norm_and_dropout()
    data = DataLoader(TensorDataset(*batch(0, 12, 1, 6, 6)), batch_size=4, shuffle=True)

    def step(i: int) -> None:
        inner(i)
        if i % 25 == 24:
            model.eval()
            for x, y in data:
                if i % 50 == 49:
                    loss_fn(model(x), y)  # a common oversight: no torch.no_grad()
                else:
                    with torch.inference_mode():
                        loss_fn(model(x), y)
            model.train()

    return model, optimizer, loss_fn, step


def compiled(backend: str) -> Setup:
    def setup() -> Any:
        torch._dynamo.reset()
        inner = mlp(nn.LayerNorm(16))
        model = torch.compile(inner, backend=backend)
        model, optimizer, loss_fn, step = plain(model, torch.optim.Adam(inner.parameters(), 1e-2), 8, 6)
        step(0)  # compiled before the watch opens, as by a warm-up
        return model, optimizer, loss_fn, step

    return setup


def compiled_in_place() -> Any:
    torch._dynamo.reset()
    model = mlp()
    model.compile(backend="eager")
    return plain(model, torch.optim.Adam(model.parameters(), 1e-2), 8, 6)


def compiled_step() -> Any:
    """The whole step under torch.compile: forward, loss and the call of backward."""
    torch._dynamo.reset()
    model, loss_fn = mlp(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    @torch.compile(backend="eager")
    def forward_and_backward(x: Tensor, y: Tensor) -> None:
        loss_fn(model(x), y).backward()

    def whole(i: int) -> None:
        optimizer.zero_grad()
        forward_and_backward(*batch(i, 8, 6))
        optimizer.step()

    return model, optimizer, loss_fn, whole


SETUPS: dict[str, Setup] = {
    f.__name__: f
    for f in (
        sgd_momentum, adam, adamw_two_groups, fused_adam, batch_norm_and_dropout, lstm, transformer, autocast_bf16,
        scaler_with_skipped_steps, lbfgs, accumulation_and_clipping, sparse_embedding, gradient_penalty,
        backward_with_graph, tied_weights, averaged_copies, checkpointed, siamese, grads_by_hand, half_precision,
        validation_between_epochs, compiled_in_place, compiled_step,
    )
} | {"compiled": compiled("eager"), "compiled_ahead_of_time": compiled("aot_eager")}  # fmt: skip


def everything(setup: Setup, watched: bool) -> tuple[dict[str, Any], Any]:
    """All that a run leaves behind, and the watch."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global generator is what a watch must not touch
    model, optimizer, loss_fn, step = setup()
    with watch(model, optimizer, loss_fn, tell=False) if watched else nullcontext() as open_watch:
        for i in range(STEPS):
            step(i)
    left = {
        "weights": model.state_dict(),
        "gradients": [p.grad for p in model.parameters()],
        "optimizer": optimizer.state_dict(),
        "mode": [m.training for m in model.modules()],
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1],  # noqa: NPY002
    }
    return left, open_watch


def same(a: Any, b: Any) -> bool:
    """Equal in every bit, NaN included."""
    if isinstance(a, Tensor):
        if a.is_sparse:
            a, b = a.to_dense(), b.to_dense()
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.isnan(), b.isnan()) and torch.equal(
            a.nan_to_num(), b.nan_to_num()
        )  # fmt: skip
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@pytest.mark.parametrize("name", SETUPS)
def test_two_hundred_steps_end_in_the_same_bits_when_every_one_is_looked_at(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And since each of these loops does as it should, no rule about the step, the model or the data speaks up. The
    labels are random, so that there is nothing to learn, as the rules about the optimisation rightly say."""
    bare, _ = everything(SETUPS[name], watched=False)
    monkeypatch.setattr(Ceiling, "step", lambda *_: True)
    watched, seen = everything(SETUPS[name], watched=True)
    differs = [part for part in bare if not same(bare[part], watched[part])]
    assert not differs
    assert "everything" not in seen.trace().facts["signals_off"]
    report = seen.report()
    assert not [f.message for f in report if f.alarm and f.place in ("step", "model", "data", "loss")]
    assert not report.crashed


@pytest.mark.parametrize("name", ["sgd_momentum", "batch_norm_and_dropout", "scaler_with_skipped_steps"])
def test_two_hundred_steps_end_in_the_same_bits_under_the_default_ceiling(name: str) -> None:
    bare, _ = everything(SETUPS[name], watched=False)
    watched, _ = everything(SETUPS[name], watched=True)
    assert same(bare, watched)


def test_a_run_with_other_random_numbers_would_not_have_passed_as_the_same() -> None:
    torch.manual_seed(1)
    model, _, _, step = batch_norm_and_dropout()
    step(0)
    torch.manual_seed(2)
    other, _, _, step = batch_norm_and_dropout()
    step(0)
    assert not same(model.state_dict(), other.state_dict())
