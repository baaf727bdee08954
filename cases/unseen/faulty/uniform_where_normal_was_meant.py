"""A dense layer of one's own, its weights drawn by torch.rand: all positive, mean one half, whatever the width."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Dense(nn.Module):
    def __init__(self, inputs: int, outputs: int, mended: bool) -> None:
        super().__init__()
        draw = torch.randn(inputs, outputs) * (2 / inputs) ** 0.5 if mended else torch.rand(inputs, outputs)
        self.weight = nn.Parameter(draw)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


def build(seed: int, mended: bool) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        Dense(64, 128, mended), nn.ReLU(), Dense(128, 128, mended), nn.ReLU(), Dense(128, 64, mended), nn.ReLU(),
        Dense(64, 10, mended),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


CASE = Case(
    source="torch.rand for torch.randn in a layer of one's own, as asked about on StackOverflow",
    task="images, classes",
    faults=("badly-scaled-init",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15),
    where=("0.weight", "2.weight", "4.weight", "6.weight"),
)
