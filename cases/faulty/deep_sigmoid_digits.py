"""A perceptron of six sigmoid layers on digits, by SGD."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Perceptron(nn.Module):
    def __init__(self, squash: bool) -> None:
        super().__init__()
        self.squash = squash
        self.hidden = nn.ModuleList([nn.Linear(64, 48), *(nn.Linear(48, 48) for _ in range(5))])
        self.output = nn.Linear(48, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.hidden:
            x = torch.sigmoid(layer(x)) if self.squash else torch.relu(layer(x))
        return self.output(x)


def program(squash: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Perceptron(squash)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after the textbook example of vanishing gradients",
    task="images, classes",
    faults=(either("saturating-activation", "excessive-depth", "missing-normalization"),),
    faulty=lambda: program(squash=True),
    fixed=lambda: program(squash=False),
)
