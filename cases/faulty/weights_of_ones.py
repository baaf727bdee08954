"""All weights of the first layer begin as ones, so that its units are one unit many times over."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def program(ones: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 20))
        if ones:
            nn.init.ones_(model[0].weight)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*topics(2000, classes=20), seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant R6",
    task="text, classes",
    faults=(either("symmetric-init", "badly-scaled-init"),),
    faulty=lambda: program(ones=True),
    fixed=lambda: program(ones=False),
    where=("0.weight",),
)
