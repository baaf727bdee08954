"""One picture a step, at a rate and momentum made for thirty-two."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(batch_size: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size))

    return Experiment(build, epochs=3 if batch_size == 1 else 10)


CASE = Case(
    source="own, after forum threads on batches of one",
    task="images, classes",
    faults=(either("small-batch", "high-learning-rate"),),
    faulty=lambda: program(batch_size=1),
    fixed=lambda: program(batch_size=32),
)
