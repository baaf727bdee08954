"""In which mode validation runs is seen by what the loop does, and training is none the wiser."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from torchdoctor.record.watch import Watch, watch


def loop(model: nn.Module, *, training: bool, name: str = "val_loss", layerwise: bool = False) -> Watch:
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x = torch.randn(16, 4)
    with watch(model, optimizer, tell=False) as watched:
        for _ in range(3):
            model.train()
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            model.train(training)
            if layerwise:
                model.training = True
            with torch.no_grad():
                watched.log(**{name: model(x).mean()})
    return watched


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_every_validation_is_kept(training: bool) -> None:
    mode = loop(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), training=training).trace()["evaluation_mode"]
    assert mode.steps.tolist() == [0, 1, 2] and mode.values.tolist() == [float(training)] * 3


def test_it_is_the_layers_that_count_and_not_the_models_own_flag() -> None:
    watched = loop(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), training=False, layerwise=True)
    assert watched.trace()["evaluation_mode"].values.tolist() == [0.0] * 3


def test_a_pass_without_gradients_that_is_no_validation_is_not_kept() -> None:
    watched = loop(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), training=True, name="sample_mean")
    assert not watched.trace().has("evaluation_mode")
