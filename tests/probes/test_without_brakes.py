"""The same steps with a brake taken off, each measured alike."""

from __future__ import annotations

import torch
from measuring import measured
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.without_brakes import without_brakes


def runs(p: float, decay: float) -> dict[tuple[str, str], float]:
    torch.manual_seed(0)
    x = torch.randn(128, 6)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(p), nn.Linear(32, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.3, weight_decay=decay)
    before = [q.clone() for q in model.parameters()]
    found, _ = measured(
        without_brakes, Parts(model, nn.CrossEntropyLoss(), optimizer, DataLoader(TensorDataset(x, y), 32))
    )
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters())) and model[2].p == p
    assert optimizer.param_groups[0]["weight_decay"] == decay
    return found


def test_without_brakes_there_is_nothing_to_take_off() -> None:
    assert runs(0.0, 0.0) == {}


def test_weight_decay_that_undoes_every_step_is_told_from_one_that_does_not() -> None:
    strong, usual = runs(0.0, 1.0), runs(0.0, 1e-4)
    assert strong["brakeless_loss", "as planned"] > 0.6 > 0.3 > strong["brakeless_loss", "no weight decay"]
    assert abs(usual["brakeless_loss", "as planned"] - usual["brakeless_loss", "no weight decay"]) < 0.01


def test_dropout_is_taken_off_by_itself_and_is_off_while_the_loss_is_taken() -> None:
    found = runs(0.5, 1e-4)
    assert found["dropout_share", ""] == 0.5
    assert found["brakeless_loss", "no dropout"] < found["brakeless_loss", "as planned"] < 0.4
