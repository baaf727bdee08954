from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from judging import judged, names, traced
from programs import digits
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from torchdoctor.judge.rates import Rates
from torchdoctor.parts import Parts
from torchdoctor.probes.data_pass import data_pass
from torchdoctor.probes.outputs_at_start import outputs_at_start
from torchdoctor.probes.overfit_batch import overfit_batch
from torchdoctor.rules.hyperparameters.high_learning_rate import high_learning_rate
from torchdoctor.rules.hyperparameters.low_learning_rate import low_learning_rate

Make = Callable[[nn.Module], Optimizer]
RULES = (high_learning_rate, low_learning_rate)
PROBES = (data_pass, outputs_at_start, overfit_batch)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(256, 10),
    )  # fmt: skip


def program(model: nn.Module, optimizer: Make) -> Parts:
    x, y = digits(1200)
    x = (x / 16 - 0.3) / 0.37
    batches = [(x[i : i + 64], y[i : i + 64]) for i in range(0, 1200, 64)]
    return Parts(model, nn.CrossEntropyLoss(), optimizer(model), batches)


HEALTHY: dict[str, Make] = {
    "SGD at 0.1": lambda m: SGD(m.parameters(), 0.1),
    "SGD at 0.1 with momentum": lambda m: SGD(m.parameters(), 0.1, momentum=0.9),
    "SGD at 0.01 with momentum": lambda m: SGD(m.parameters(), 0.01, momentum=0.9),
    "SGD at 0.001 with momentum": lambda m: SGD(m.parameters(), 0.001, momentum=0.9),
    "Adam at 0.01": lambda m: Adam(m.parameters(), 1e-2),
    "Adam at 0.001": lambda m: Adam(m.parameters(), 1e-3),
    "Adam at 0.0001": lambda m: Adam(m.parameters(), 1e-4),
    "AdamW": lambda m: AdamW(m.parameters(), 1e-3),
    "RMSprop": lambda m: RMSprop(m.parameters(), 1e-3),
    "LBFGS at 1": lambda m: torch.optim.LBFGS(m.parameters(), lr=1),
    "Adadelta at 1": lambda m: torch.optim.Adadelta(m.parameters(), lr=1),
    "two groups": lambda m: SGD(
        [{"params": list(m.parameters())[:2], "lr": 0.01}, {"params": list(m.parameters())[2:]}], 0.1
    ),
}
HIGH: dict[str, Make] = {
    "SGD at 1 with momentum": lambda m: SGD(m.parameters(), 1.0, momentum=0.9),
    "SGD at 10": lambda m: SGD(m.parameters(), 10.0),
    "Adam at 1": lambda m: Adam(m.parameters(), 1.0),
    "RMSprop at 1": lambda m: RMSprop(m.parameters(), 1.0),
}
LOW: dict[str, Make] = {
    "SGD at 0.0001": lambda m: SGD(m.parameters(), 1e-4),
    "Adam at 0.000001": lambda m: Adam(m.parameters(), 1e-6),
    "Adadelta at 0.001": lambda m: torch.optim.Adadelta(m.parameters(), lr=1e-3),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("model", [mlp, convolutions])
@pytest.mark.parametrize("optimizer", HEALTHY.values(), ids=HEALTHY.keys())
def test_customary_rates_are_left_alone(optimizer: Make, model: Callable[[], nn.Module], seed: int) -> None:
    torch.manual_seed(seed)
    assert names(judged(program(model(), optimizer), PROBES, *RULES)) == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("optimizer", HIGH.values(), ids=HIGH.keys())
def test_a_rate_far_too_high_is_found_and_the_fix_lowers_it(optimizer: Make, seed: int) -> None:
    torch.manual_seed(seed)
    report = judged(program(mlp(), optimizer), PROBES, *RULES)
    assert names(report) == ["high-learning-rate"]
    assert report.findings[0].fixes[0].options["factor"] < 1


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("optimizer", LOW.values(), ids=LOW.keys())
def test_a_rate_far_too_low_is_found_and_the_fix_raises_it(optimizer: Make, seed: int) -> None:
    torch.manual_seed(seed)
    report = judged(program(mlp(), optimizer), PROBES, *RULES)
    assert names(report) == ["low-learning-rate"]
    assert report.findings[0].fixes[0].options["factor"] >= 100


def test_a_network_that_knows_the_batch_needs_no_higher_rate() -> None:
    torch.manual_seed(0)
    parts = program(mlp(), HEALTHY["Adam at 0.001"])
    for _ in range(30):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
    assert names(judged(program(parts.model, lambda m: Adam(m.parameters(), 1e-6)), PROBES, *RULES)) == []


def test_a_rate_that_is_warmed_up_from_nothing_is_tried_at_its_peak() -> None:
    torch.manual_seed(0)
    parts = program(mlp(), HEALTHY["Adam at 0.001"])
    torch.optim.lr_scheduler.LambdaLR(parts.optimizer, lambda step: min(1.0, (step + 1) / 1000))
    trace = traced(parts, overfit_batch)
    assert trace.facts["warms_up"] is True
    assert Rates.of(trace).good


def test_no_rate_is_blamed_where_none_learns() -> None:
    torch.manual_seed(0)
    parts = program(nn.Sequential(mlp(), nn.Softmax(0), nn.Hardtanh(0, 0.01)), HEALTHY["Adam at 0.001"])
    assert names(judged(parts, PROBES, *RULES)) == []


def test_dead_weights_are_told_from_a_bad_rate_by_fresh_ones() -> None:
    torch.manual_seed(0)
    model = mlp()
    with torch.no_grad():
        model[3].bias.fill_(-100)
    curves = dict(traced(program(model, HEALTHY["Adam at 0.01"]), overfit_batch).each("overfit_loss"))
    assert min(s.last for name, s in curves.items() if name.startswith("here")) > 1
    assert curves["fresh x1"].last < 0.5


def test_a_run_ends_when_the_batch_is_learnt_or_the_loss_is_lost() -> None:
    torch.manual_seed(0)
    curves = dict(traced(program(mlp(), HEALTHY["Adam at 0.01"]), overfit_batch).each("overfit_loss"))
    assert 0 < curves["here x1"].last < 0.02 * curves["here x1"].first
    torch.manual_seed(0)
    x, y = digits(64)
    model = nn.Linear(64, 1)
    parts = Parts(model, nn.MSELoss(), SGD(model.parameters(), 1e6), [(x.flatten(1), y.float()[:, None])])
    wild = dict(traced(parts, overfit_batch).each("overfit_loss"))["here x1"]
    assert len(wild) < 60 and not torch.isfinite(torch.tensor(wild.last))


def test_model_and_optimizer_are_afterwards_as_they_were() -> None:
    torch.manual_seed(0)
    parts = program(convolutions(), HEALTHY["SGD at 0.1 with momentum"])
    before = copy.deepcopy(parts.model.state_dict())
    traced(parts, overfit_batch)
    assert all(torch.equal(value, before[name]) for name, value in parts.model.state_dict().items())
    assert parts.optimizer.state_dict()["state"] == {}
