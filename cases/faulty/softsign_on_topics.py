"""Topics of documents, the scores squeezed through a softsign before CrossEntropyLoss."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 20), *last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*topics(2000, classes=20), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant R2 as re-run by others",
    task="text, classes",
    faults=(either("wrong-output-activation", "redundant-output-activation"),),
    faulty=lambda: program(nn.Softsign()),
    fixed=program,
    where=("4",),
)
