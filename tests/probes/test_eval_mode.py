"""What goes on drawing masks or comparing samples in eval mode."""

from __future__ import annotations

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn
from torch.nn import functional as F

from torchdoctor.parts import Parts
from torchdoctor.probes.eval_mode import eval_mode
from torchdoctor.rules.model.mode_insensitive_layer import mode_insensitive_layer


class Net(nn.Module):
    """Something happens between two layers."""

    def __init__(self, middle: nn.Module) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(6, 16), middle, nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.middle(self.first(x))))


class Function(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "dropout":
            return F.dropout(x, 0.3)
        if self.kind == "mask by hand":
            return x * (torch.rand_like(x) > 0.3)
        if self.kind == "noise":
            return x + 0.1 * torch.randn_like(x)
        if self.kind == "norm of the batch":
            return F.batch_norm(x, None, None, training=True)
        return (x - x.mean(0)) / x.std(0)


def program(middle: nn.Module) -> Parts:
    torch.manual_seed(0)
    model = Net(middle)
    x = torch.randn(64, 6)
    return split(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), x, x[:, :1])


def test_healthy_nets_follow_the_mode() -> None:
    for build in (mlp, convolutions, recurrent, text):
        values, _ = measured(eval_mode, build())
        assert values["eval_mask_share", ""] == values["batch_normed_in_eval", ""] == 0, build.__name__


@pytest.mark.parametrize("middle", [nn.Dropout(0.5), nn.BatchNorm1d(16), nn.LayerNorm(16), Function("noise")])
def test_layers_that_know_the_mode_and_noise_that_is_added_are_left_in_peace(middle: nn.Module) -> None:
    assert names(judged(program(middle), [eval_mode], mode_insensitive_layer)) == []


def test_dropout_that_does_not_know_the_mode_is_named() -> None:
    values, facts = measured(eval_mode, program(Function("dropout")))
    assert values["eval_mask_share", ""] == 1 and facts["eval_chance_in"] == "middle"
    assert measured(eval_mode, program(Function("mask by hand")))[0]["eval_mask_share", ""] == 0  # random numbers first


@pytest.mark.parametrize("middle", [nn.BatchNorm1d(16, track_running_stats=False), Function("norm of the batch")])
def test_normalising_by_the_batch_is_named_however_it_is_called(middle: nn.Module) -> None:
    report = judged(program(middle), [eval_mode], mode_insensitive_layer)
    assert [f.where for f in report] == [("middle",)] and names(report) == ["mode-insensitive-layer"]
