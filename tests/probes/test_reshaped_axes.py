"""Reshapes that exchange axes, and those that only look like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn
from torch.nn import functional as F

from torchdoctor.parts import Parts
from torchdoctor.probes.axis_order import axis_order
from torchdoctor.probes.reshaped_axes import reshaped_axes
from torchdoctor.probes.train_eval import train_eval
from torchdoctor.rules.model.mixed_batch import mixed_batch
from torchdoctor.rules.model.swapped_dimensions import swapped_dimensions

Change = Callable[[Tensor], Tensor]
TIME, CHANNELS = 16, 8


class Reader(nn.Module):
    """Three classes of (N, 16, 8), after `change` and a convolution over its last axis."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change, self.out = change, nn.LazyLinear(3)
        self.conv = nn.LazyConv1d(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.conv(self.change(x))).mean(2))


def series(change: Change, loss_fn: Callable[[Tensor, Tensor], Tensor] | None = None) -> Parts:
    torch.manual_seed(0)
    return on(Reader(change), torch.randn(64, TIME, CHANNELS), loss_fn)


def on(model: nn.Module, x: Tensor, loss_fn: Callable[[Tensor, Tensor], Tensor] | None = None) -> Parts:
    with torch.no_grad():
        model(x[:32])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return split(model, loss_fn or nn.CrossEntropyLoss(), optimizer, x, torch.arange(len(x)) % 3)


def found(parts: Parts) -> list[str]:
    return names(judged(parts, [reshaped_axes, axis_order, train_eval], swapped_dimensions, mixed_batch))


EXCHANGED: dict[str, Change] = {
    "reshape": lambda x: x.reshape(len(x), CHANNELS, TIME),
    "view, of sizes that are read": lambda x: x.view(x.size(0), x.size(2), x.size(1)),
    "flattened first": lambda x: x.flatten(1).contiguous().view(len(x), CHANNELS, -1),
    "a function of torch": lambda x: torch.reshape(x, (-1, CHANNELS, TIME)),
    "with an axis of one between": lambda x: x.unsqueeze(2).reshape(len(x), CHANNELS, 1, TIME).squeeze(2),
    "unflatten": lambda x: torch.flatten(x, 1).unflatten(1, (CHANNELS, TIME)),
}
IN_ORDER: dict[str, Change] = {
    "permuted": lambda x: x.permute(0, 2, 1),
    "as it is": lambda x: x.reshape(len(x), TIME, CHANNELS),
    "two moments taken together are as many as there were channels by chance": lambda x: x.reshape(
        len(x), x.shape[1] // 2, 2 * x.shape[2]
    ),
    "heads of an attention": lambda x: x.view(len(x), TIME, 2, 4).transpose(1, 2).reshape(len(x), 2, -1),
    "channels shuffled": lambda x: x.view(len(x), TIME, 2, 4).transpose(2, 3).reshape(len(x), TIME, CHANNELS),
    "and permuted back": lambda x: x.permute(0, 2, 1).contiguous().permute(0, 2, 1),
}


@pytest.mark.parametrize("name", EXCHANGED)
def test_a_reshape_where_a_permutation_was_meant_is_named(name: str) -> None:
    assert found(series(EXCHANGED[name])) == ["swapped-dimensions"]


@pytest.mark.parametrize("name", IN_ORDER)
def test_reshapes_that_keep_what_belongs_together_are_left_in_peace(name: str) -> None:
    assert found(series(IN_ORDER[name])) == []


def test_the_module_that_reshapes_is_named() -> None:
    class Turn(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.reshape(len(x), CHANNELS, TIME)

    _, facts = measured(reshaped_axes, series(Turn()))
    told = {"where": "change", "in_loss": False, "from": [32, TIME, CHANNELS], "to": [32, CHANNELS, TIME]}
    assert facts["axes_exchanged"] == [{**told, "samples": False}]


def test_samples_torn_apart_are_a_mixed_batch() -> None:
    class TimeFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.memory, self.out = nn.GRU(CHANNELS, 6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.memory(x.reshape(TIME, len(x), CHANNELS))[0].mean(0))

    assert found(on(TimeFirst(), torch.randn(64, TIME, CHANNELS))) == ["mixed-batch"]


@pytest.mark.parametrize("view", [True, False])
def test_scores_that_a_view_hands_to_the_loss_are_seen(view: bool) -> None:
    def of_moments(output: Tensor, target: Tensor) -> Tensor:
        classes = output.view(len(output), 3, TIME) if view else output.transpose(1, 2)
        return F.cross_entropy(classes, target[:, None].expand(-1, TIME))

    parts = on(nn.Linear(CHANNELS, 3), torch.randn(64, TIME, CHANNELS), of_moments)
    assert found(parts) == (["swapped-dimensions"] if view else [])


def test_as_many_samples_as_features_are_no_exchange() -> None:
    class Views(nn.Module):
        """Four views of each of 32 samples, 32 features of each view."""

        def __init__(self) -> None:
            super().__init__()
            self.features, self.out = nn.Linear(5, 32), nn.Linear(4 * 32, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.features(x.reshape(-1, 5)).reshape(len(x), -1))

    assert found(on(Views(), torch.randn(64, 4, 5))) == []


def test_what_a_linear_layer_made_is_in_no_order_yet() -> None:
    class Maps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.conv, self.out = nn.Linear(5, 6 * 4), nn.Conv1d(4, 3, 3), nn.Linear(12, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.conv(self.first(x).view(-1, 6, 4).reshape(-1, 4, 6)).flatten(1))

    assert found(on(Maps(), torch.randn(64, 5))) == []


def test_healthy_nets_exchange_nothing() -> None:
    for build in (mlp, convolutions, recurrent, text):
        assert measured(reshaped_axes, build())[0]["exchanging_reshapes", ""] == 0, build.__name__
