"""Where the answer is made has a name, wherever the activation stands."""

from __future__ import annotations

import torch
from measuring import measured
from programs import split
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.answer import answer


def told(model: nn.Module) -> object:
    x = torch.randn(64, 6)
    parts: Parts = split(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), x, x[:, :2])
    return measured(answer, parts)[1]["answer"]


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.head(torch.relu(self.body(x))), 1)


def test_modules_behind_the_last_weights_are_named_in_order() -> None:
    layers = (nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2), nn.Flatten(), nn.Tanh(), nn.Softmax(1))
    assert told(nn.Sequential(*layers)) == {"weights": ["2"], "behind": ["4", "5"]}


def test_an_activation_in_place_is_named_too() -> None:
    assert told(nn.Sequential(nn.Linear(6, 2), nn.ReLU(inplace=True))) == {"weights": ["0"], "behind": ["1"]}


def test_a_function_has_no_name_and_the_last_layer_stands_for_it() -> None:
    assert told(Functional()) == {"weights": ["head"], "behind": []}
