"""A bag of word vectors under plain gradient descent: each word is seldom there, and then moves by next to nothing."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(200, 32)
        self.head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.words(x))


def program(adaptive: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Bag()
        kind = torch.optim.Adam if adaptive else torch.optim.SGD
        optimizer = kind(model.parameters(), lr=3e-3 if adaptive else 1e-2)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after forum threads on word vectors that do not move",
    task="text, classes",
    faults=(either("unsuitable-optimizer", "low-learning-rate"),),
    faulty=lambda: program(adaptive=False),
    fixed=lambda: program(adaptive=True),
)
