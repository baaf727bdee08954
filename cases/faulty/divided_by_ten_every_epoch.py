"""The rate is divided by ten after every epoch: what is learnt is learnt in the first, and that is little."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(every: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 48), nn.ELU(), nn.Linear(48, 24), nn.ELU(), nn.Linear(24, 5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.1 ** (epoch // every))
        return Parts(
            model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1200, 20, 5), seed, batch_size=64), schedule
        )

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("misused-scheduler",),
    faulty=lambda: program(every=1),
    fixed=lambda: program(every=12),
)
