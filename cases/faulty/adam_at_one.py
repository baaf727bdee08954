"""Topics of documents with Adam at a learning rate of 1."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 20))
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*topics(2000, classes=20), seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant R3",
    task="text, classes",
    faults=("high-learning-rate",),
    faulty=lambda: program(lr=1.0),
    fixed=lambda: program(lr=1e-3),
)
