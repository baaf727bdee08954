"""Real loops on real digits: each fault is found, its healthy twin shows nothing above info, for several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, AdamW, Optimizer

from torchdoctor.judge.report import Report
from torchdoctor.record.watch import Watch, watch

_RAW = load_digits()
PIXELS = torch.tensor(_RAW.data, dtype=torch.float32)
X, Y = (PIXELS - PIXELS.mean()) / PIXELS.std(), torch.tensor(_RAW.target)
SEEDS = (0, 1, 2)
several_seeds = pytest.mark.parametrize("seed", SEEDS)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def mlp(*widths: int, act: type[nn.Module] = nn.ReLU, norm: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            layers += [nn.BatchNorm1d(b), act()] if norm else [act()]
    return nn.Sequential(*layers)


def batches(seed: int, epochs: int, x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor, bool]]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)[: len(x) // size * size].split(size)
        for i, rows in enumerate(order):
            yield x[rows], y[rows], i == len(order) - 1


def trained(
    seed: int,
    model: nn.Module,
    optimizer: Optimizer,
    *,
    loss_fn: nn.Module | None = None,
    data: tuple[Tensor, Tensor] = (X[:1400], Y[:1400]),
    held_out: tuple[Tensor, Tensor] = (X[1400:], Y[1400:]),
    epochs: int = 6,
    size: int = 32,
    clear: Callable[[Optimizer], None] = lambda o: o.zero_grad(),
    between: Callable[[Optimizer, nn.Module], None] = lambda o, m: None,
    accumulate: int = 1,
    back_to_train: bool = True,
    schedule: Callable[[Optimizer], torch.optim.lr_scheduler.LRScheduler] | None = None,
) -> Report:
    """A plain loop, watched. clear: before backward; between: after backward, before step."""
    loss_fn = loss_fn or nn.CrossEntropyLoss()
    scheduler = schedule(optimizer) if schedule else None
    with watch(model, optimizer, loss_fn, tell=False) as watched:
        for i, (x, y, last) in enumerate(batches(seed, epochs, *data, size), 1):
            if (i - 1) % accumulate == 0:
                clear(optimizer)
            (loss_fn(model(x), y) / accumulate).backward()
            between(optimizer, model)
            if i % accumulate == 0:
                optimizer.step()
                if scheduler:
                    scheduler.step()
            if last:
                validate(watched, model, loss_fn, held_out, back_to_train)
    return watched.report()


def validate(watched: Watch, model: nn.Module, loss_fn: nn.Module, held_out: tuple[Tensor, Tensor], back: bool) -> None:
    model.eval()
    with torch.no_grad():
        output = model(held_out[0])
        classes = output.dim() == 2 and output.shape[1] > 1 and held_out[1].dim() == 1
        score = {"val_score": (output.argmax(1) == held_out[1]).float().mean()} if classes else {}
        watched.log(val_loss=loss_fn(output, held_out[1]), **score)
    if back:
        model.train()


def alarms(report: Report) -> list[str]:
    assert not report.crashed
    return [f.name for f in report if f.alarm]


def cleared_late(optimizer: Optimizer, _: nn.Module) -> None:
    optimizer.zero_grad()


# -- the loop's own mistakes ------------------------------------------------------------------------------------------


@several_seeds
def test_gradients_that_add_up_are_the_first_thing_said(seed: int):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    report = trained(seed, model, SGD(model.parameters(), 0.05), clear=lambda o: None)
    assert alarms(report)[0] == "missing-zero-grad"
    assert report.roots[0].name == "missing-zero-grad"


@several_seeds
@pytest.mark.parametrize("accumulate", [1, 4])
def test_gradients_that_add_up_are_seen_after_two_steps(seed: int, accumulate: int):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    data = X[: 64 * accumulate], Y[: 64 * accumulate]
    report = trained(
        seed, model, Adam(model.parameters()), clear=lambda o: None, data=data, epochs=1, accumulate=accumulate
    )
    assert "missing-zero-grad" in alarms(report)


@several_seeds
@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_cleared_before_the_step_are_seen_after_two_steps(seed: int, set_to_none: bool):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    optimizer = AdamW(model.parameters(), weight_decay=0.1)

    def too_late(o: Optimizer, _: nn.Module) -> None:
        o.zero_grad(set_to_none=set_to_none)

    report = trained(seed, model, optimizer, between=too_late, data=(X[:64], Y[:64]), epochs=1)
    assert alarms(report)[0] == "misplaced-zero-grad"


@several_seeds
@pytest.mark.parametrize("set_to_none", [True, False])
def test_accumulating_gradients_on_purpose_is_no_fault(seed: int, set_to_none: bool):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    optimizer = SGD(model.parameters(), 0.2, momentum=0.9)
    report = trained(
        seed, model, optimizer, accumulate=4, size=16, clear=lambda o: o.zero_grad(set_to_none=set_to_none), epochs=8
    )
    assert alarms(report) == []


@several_seeds
def test_hard_clipping_is_no_misplaced_zero_grad(seed: int):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)

    def clip(_: Optimizer, m: nn.Module) -> None:
        nn.utils.clip_grad_norm_(m.parameters(), 1e-3)

    report = trained(seed, model, Adam(model.parameters(), 2e-3), between=clip)
    assert not {"misplaced-zero-grad", "missing-zero-grad"} & set(alarms(report))


def test_steps_that_a_scaler_skips_are_no_fault():
    torch.manual_seed(0)
    model, loss_fn = mlp(64, 64, 10), nn.CrossEntropyLoss()
    optimizer = Adam(model.parameters(), 2e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24)  # far too high for half precision, so it backs off
    with watch(model, optimizer, loss_fn, tell=False) as watched:
        for x, y, _ in batches(0, 5, X, Y, 32):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = loss_fn(model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    assert watched.trace()["skipped_step"].values.sum() > 0
    assert alarms(watched.report()) == []


@several_seeds
def test_two_networks_that_take_turns_are_healthy(seed: int):
    torch.manual_seed(seed)
    maker, judge = mlp(4, 32, 32, 2), mlp(2, 32, 32, 1, act=nn.LeakyReLU)
    maker_optimizer = Adam(maker.parameters(), 1e-3, betas=(0.5, 0.99))
    judge_optimizer = Adam(judge.parameters(), 1e-3, betas=(0.5, 0.99))
    loss_fn, real, made_up = nn.BCEWithLogitsLoss(), torch.ones(64, 1), torch.zeros(64, 1)
    with (
        watch(maker, maker_optimizer, tell=False) as watched_maker,
        watch(judge, judge_optimizer, tell=False) as watched_judge,
    ):
        for _ in range(250):
            made = maker(torch.randn(64, 4))
            judge_optimizer.zero_grad()
            loss_fn(judge(torch.randn(64, 2) * 0.3 + torch.tensor([2.0, -1.0])), real).backward()
            loss_fn(judge(made.detach()), made_up).backward()
            judge_optimizer.step()
            maker_optimizer.zero_grad()
            loss_fn(judge(made), real).backward()
            maker_optimizer.step()
    assert alarms(watched_maker.report()) == [] and alarms(watched_judge.report()) == []


@several_seeds
def test_a_model_left_in_eval_mode_is_found_and_one_set_back_is_not(seed: int):
    torch.manual_seed(seed)
    forgotten, healthy = mlp(64, 64, 10, norm=True), mlp(64, 64, 10, norm=True)
    report = trained(seed, forgotten, SGD(forgotten.parameters(), 0.05), back_to_train=False)
    assert "eval-mode-training" in alarms(report)
    found = next(f for f in report if f.name == "eval-mode-training")
    assert found.where == ("1",) and found.steps is not None and 0 < found.steps[0] <= 64
    assert alarms(trained(seed, healthy, SGD(healthy.parameters(), 0.05, momentum=0.9))) == []


# -- what is seen while optimising ------------------------------------------------------------------------------------


@several_seeds
@pytest.mark.parametrize(
    ("make", "lr"), [(SGD, 30.0), (Adam, 1.0)], ids=["SGD with a rate of 30", "Adam with a rate of 1"]
)
def test_a_run_that_blew_up_is_not_silent(seed: int, make: Callable[..., Optimizer], lr: float):
    torch.manual_seed(seed)
    model = mlp(64, 64, 64, 10)
    found = alarms(trained(seed, model, make(model.parameters(), lr)))
    assert {"stalled-loss", "exploding-gradients", "dead-units"} & set(found)


@several_seeds
def test_a_regression_that_diverges_names_the_explosion_and_the_infinite_loss(seed: int):
    torch.manual_seed(seed)
    x, y = X[:600], X[:600] @ torch.randn(64, 1)
    model = nn.Linear(64, 1)
    found = alarms(
        trained(seed, model, SGD(model.parameters(), 1.0), loss_fn=nn.MSELoss(), data=(x, y), held_out=(x, y))
    )
    assert {"exploding-gradients", "non-finite-loss"} <= set(found)


class LogOfSoftmax(nn.Module):
    """Softmax of large scores is zero for all but one class, and its logarithm is not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Linear(64, 10)
        self.share = nn.Softmax(1)
        self.logarithm = Log()

    def forward(self, x: Tensor) -> Tensor:
        return self.logarithm(self.share(200 * self.scores(x)))


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.log()


@several_seeds
def test_the_module_that_first_put_out_infinity_is_named(seed: int):
    torch.manual_seed(seed)
    model = LogOfSoftmax()
    report = trained(seed, model, SGD(model.parameters(), 0.1), loss_fn=nn.NLLLoss(), epochs=1)
    found = next(f for f in report if f.name == "non-finite-loss")
    assert found.where == ("logarithm",)


@several_seeds
def test_a_deep_sigmoid_stack_loses_its_gradients_and_a_residual_one_does_not(seed: int):
    torch.manual_seed(seed)
    sigmoids = mlp(64, *[32] * 7, 10, act=nn.Sigmoid)
    assert "vanishing-gradients" in alarms(trained(seed, sigmoids, SGD(sigmoids.parameters(), 0.05), epochs=4))
    residual = nn.Sequential(nn.Linear(64, 32), *[Residual(32) for _ in range(7)], nn.Linear(32, 10))
    assert "vanishing-gradients" not in [f.name for f in trained(seed, residual, Adam(residual.parameters(), 2e-3))]


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sigmoid(self.inner(x)) - 0.5


@several_seeds
@pytest.mark.parametrize("functional", [False, True])
def test_a_layer_of_dead_units_is_named_however_its_relu_is_written(seed: int, functional: bool):
    torch.manual_seed(seed)
    model = Functional() if functional else mlp(64, 32, 32, 10)
    second = model.second if isinstance(model, Functional) else model[2]
    nn.init.constant_(second.bias, -30.0)
    report = trained(seed, model, SGD(model.parameters(), 0.1), epochs=3)
    found = next(f for f in report if f.name == "dead-units")
    assert found.alarm and found.where == (("second",) if functional else ("3",))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.relu(self.second(F.relu(self.first(x)))))


@several_seeds
def test_a_rate_too_small_to_move_anything_leaves_the_loss_where_guessing_is(seed: int):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    assert {"stalled-loss", "no-better-than-prior"} <= set(alarms(trained(seed, model, SGD(model.parameters(), 1e-7))))


@several_seeds
def test_learning_a_few_samples_by_heart_is_overfitting(seed: int):
    torch.manual_seed(seed)
    w = torch.randn(64, 1) / 8
    y = X @ w + torch.randn(len(X), 1)
    model = mlp(64, 256, 1)
    report = trained(
        seed, model, Adam(model.parameters(), 1e-3), loss_fn=nn.MSELoss(),
        data=(X[:100], y[:100]), held_out=(X[900:], y[900:]), epochs=150,
    )  # fmt: skip
    assert "overfitting" in alarms(report)


@several_seeds
def test_a_run_that_ends_while_it_still_learns_fast_was_too_short(seed: int):
    torch.manual_seed(seed)
    model = mlp(64, 64, 10)
    assert "too-few-epochs" in alarms(trained(seed, model, SGD(model.parameters(), 2e-3), epochs=8))


# -- healthy runs, which must show nothing above info -----------------------------------------------------------------


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells, self.last = nn.GRU(8, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.cells(x.view(-1, 8, 8))[0][:, -1])


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.place = nn.Linear(8, 32), nn.Parameter(0.02 * torch.randn(8, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.encoder, self.last = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.encoder(self.enter(x.view(-1, 8, 8)) + self.place).mean(1))


def one_cycle(optimizer: Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=6 * 43)


def restarting(optimizer: Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 60)


def warming_up(optimizer: Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 100))


HEALTHY: dict[str, Callable[[int], Report]] = {
    "plain": lambda s: trained(s, m := mlp(64, 64, 10), SGD(m.parameters(), 0.1, momentum=0.9)),
    "Adam": lambda s: trained(s, m := mlp(64, 128, 128, 10), Adam(m.parameters(), 2e-3), epochs=8),
    "tanh": lambda s: trained(s, m := mlp(64, 64, 64, 10, act=nn.Tanh), SGD(m.parameters(), 0.2), epochs=8),
    "convolutions": lambda s: trained(s, m := convolutional(), SGD(m.parameters(), 0.05, momentum=0.9)),
    "recurrent": lambda s: trained(s, m := Recurrent(), Adam(m.parameters(), 1e-2), epochs=5),
    "attention": lambda s: trained(s, m := Attending(), AdamW(m.parameters(), 5e-3), epochs=3, schedule=warming_up),
    "one cycle": lambda s: trained(
        s, m := mlp(64, 64, 10, norm=True), SGD(m.parameters(), 0.3, momentum=0.9), schedule=one_cycle
    ),
    "warm restarts": lambda s: trained(
        s, m := mlp(64, 64, 10), SGD(m.parameters(), 0.2, momentum=0.9), schedule=restarting, epochs=8
    ),
    "batches of one": lambda s: trained(
        s, m := mlp(64, 64, 10), SGD(m.parameters(), 5e-3), size=1, epochs=1, data=(X[:900], Y[:900])
    ),
    "label smoothing": lambda s: trained(
        s, m := mlp(64, 64, 10), Adam(m.parameters(), 3e-3), loss_fn=nn.CrossEntropyLoss(label_smoothing=0.1)
    ),
    "an autoencoder": lambda s: trained(
        s, m := mlp(64, 32, 64), Adam(m.parameters(), 5e-3), loss_fn=nn.MSELoss(),
        data=(X[:1400], X[:1400]), held_out=(X[1400:], X[1400:]), epochs=8,
    ),
}  # fmt: skip


@several_seeds
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_shows_nothing_above_info(seed: int, name: str):
    torch.manual_seed(seed)
    assert alarms(HEALTHY[name](seed)) == []


def test_the_four_points_of_xor_are_learnt_in_peace():
    torch.manual_seed(1)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    model, loss_fn = mlp(2, 16, 1), nn.BCEWithLogitsLoss()
    optimizer = Adam(model.parameters(), 1e-2)
    with watch(model, optimizer, loss_fn, tell=False) as watched:
        for _ in range(500):
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
    assert alarms(watched.report()) == []


def test_a_quasi_newton_step_that_calls_back_many_times_is_healthy():
    torch.manual_seed(0)
    model, loss_fn = mlp(64, 32, 10), nn.CrossEntropyLoss()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loss_fn(model(X), Y)
        loss.backward()
        return loss

    with watch(model, optimizer, loss_fn, tell=False) as watched:
        for _ in range(12):
            optimizer.step(closure)
    assert alarms(watched.report()) == []


def test_a_frozen_backbone_under_a_new_head_is_healthy():
    torch.manual_seed(0)
    model = mlp(64, 64, 64, 10)
    trained(0, model, Adam(model.parameters(), 2e-3), epochs=4)
    for p in model[:4].parameters():
        p.requires_grad_(False)
    model[4] = nn.Linear(64, 10)
    assert alarms(trained(1, model, Adam(model[4].parameters(), 5e-3))) == []


def test_a_trained_network_that_is_trained_on_is_healthy():
    torch.manual_seed(0)
    model = mlp(64, 64, 10)
    trained(0, model, Adam(model.parameters(), 2e-3), epochs=8)
    assert alarms(trained(1, model, Adam(model.parameters(), 5e-4))) == []
