"""What of the inputs is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.input_reach import input_reach
from torchdoctor.rules.model.ignored_input import ignored_input


class Reads(nn.Module):
    """A linear layer over what `take` leaves of the inputs."""

    def __init__(self, take: Callable[..., Tensor], width: int) -> None:
        super().__init__()
        self.take, self.fc = take, nn.Linear(width, 1)

    def forward(self, *x: Tensor) -> Tensor:
        return self.fc(self.take(*x))


def reading(take: Callable[..., Tensor], width: int, *inputs: Tensor) -> Parts:
    torch.manual_seed(0)
    model = Reads(take, width)
    data = DataLoader(TensorDataset(*inputs, torch.randn(len(inputs[0]), 1)), 32)
    return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), data)


TABLE, WORDS = torch.randn(64, 6), torch.randint(0, 50, (64, 8))


def test_healthy_nets_read_all_they_are_given() -> None:
    for build in (mlp, convolutions, recurrent, text):
        assert measured(input_reach, build())[0]["input_reach", "0"] > 0.9, build.__name__


@pytest.mark.parametrize(
    ("take", "width", "inputs", "input_", "reach"),
    [
        (lambda x: x[:, :2], 2, (TABLE,), "0", 1 / 3),
        (lambda x: x, 6, (TABLE,), "0", 1.0),
        (lambda x: x[:, -1:].float(), 1, (WORDS,), "0", 1 / 8),
        (lambda x: x.float(), 8, (WORDS,), "0", 1.0),
        (lambda a, b: torch.cat([a, a], 1), 12, (TABLE, TABLE.flip(0)), "1", 0.0),
        (lambda a, b: torch.cat([a, b], 1), 12, (TABLE, TABLE.flip(0)), "1", 1.0),
    ],
)
def test_the_share_that_is_read(
    take: Callable[..., Tensor], width: int, inputs: tuple[Tensor, ...], input_: str, reach: float
) -> None:
    parts = reading(take, width, *inputs)
    assert measured(input_reach, parts)[0]["input_reach", input_] == pytest.approx(reach)
    found = names(judged(parts, [input_reach], ignored_input))
    assert found == (["ignored-input"] if reach < 0.5 else [])


class Hides(nn.Module):
    """Half of its inputs: any in training, the first in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        away = torch.rand_like(x) < 0.5 if self.training else (torch.arange(6) < 3).expand_as(x)
        return self.fc(x.masked_fill(away, 0.0))


def test_what_is_hidden_when_a_model_is_judged_and_read_in_training_is_not_ignored() -> None:
    model = Hides()
    data = DataLoader(TensorDataset(TABLE, torch.randn(64, 1)), 32)
    parts = Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), data)
    assert measured(input_reach, parts)[0]["input_reach", "0"] == 1


def test_columns_that_never_vary_are_nobodys_business() -> None:
    x = TABLE.clone()
    x[:, 2:] = 1.0
    assert measured(input_reach, reading(lambda x: x[:, :2], 2, x))[0]["input_reach", "0"] == 1


class Corrected(nn.Module):
    """The last column, and a correction that begins with zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 1)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1:] + self.fc(x)


def test_a_branch_that_begins_with_zeros_is_read_all_the_same() -> None:
    model = Corrected()
    data = DataLoader(TensorDataset(TABLE, torch.randn(64, 1)), 32)
    parts = Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), data)
    assert measured(input_reach, parts)[0]["input_reach", "0"] == 1
    assert not model.fc.weight.any()


def test_chance_says_nothing() -> None:
    assert measured(input_reach, reading(lambda x: x + torch.randn_like(x), 6, TABLE))[0] == {}


def test_a_mask_that_is_the_same_for_all_is_no_ignored_input() -> None:
    mask = torch.ones(64, 6)
    values, _ = measured(input_reach, reading(lambda x, m: x * m, 6, TABLE, mask))
    assert ("input_reach", "1") not in values


def test_the_far_end_of_a_long_sequence_is_out_of_reach_for_now_and_not_ignored() -> None:
    class Long(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.fc = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.gru(x)[0][:, -1])

    torch.manual_seed(0)
    model = Long()
    parts = split(
        model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), torch.randn(32, 400, 1), TABLE[:32, :1]
    )
    assert measured(input_reach, parts)[0]["input_reach", "0"] == 1
