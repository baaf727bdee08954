"""The optimizer is made first, then the model anew: it holds the parameters of a network that nobody uses."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 24)
        self.lstm = nn.LSTM(24, 32, batch_first=True)
        self.output = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.lstm(self.embedding(x))[0].mean(1))


def program(stale: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        if stale:
            model = Reader()
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="discuss.pytorch.org/t/91826",
    task="text, classes",
    faults=(either("missing-parameters", "stale-optimizer"),),
    faulty=lambda: program(stale=True),
    fixed=lambda: program(stale=False),
)
