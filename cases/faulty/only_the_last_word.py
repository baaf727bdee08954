"""Of the words of a sentence only the last one is looked at."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.output = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
        self.whole = whole

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        words = self.embedding(x)
        return self.output(words.mean(1) if self.whole else words[:, -1])


def program(whole: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(whole)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="text, classes",
    faults=("ignored-input",),
    faulty=lambda: program(whole=False),
    fixed=lambda: program(whole=True),
)
