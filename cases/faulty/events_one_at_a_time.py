"""Events of physics, told from background in one pass, one at a time, with half of three layers dropped."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(optimizer: type[torch.optim.Optimizer], batch_size: int, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(30, 300), nn.ReLU(), nn.Dropout(0.5), nn.Linear(300, 200), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(200, 50), nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 1), nn.Sigmoid(),
        )  # fmt: skip
        x, y = table(800, 30, 2)
        flipped = torch.rand(len(y), generator=torch.Generator().manual_seed(1)) < 0.25  # background looks like signal
        y = torch.where(flipped, 1 - y, y).float()[:, None]
        return Parts(
            model, nn.BCELoss(), optimizer(model.parameters(), lr=1e-3), *loaders(x, y, seed, batch_size=batch_size)
        )

    return Experiment(build, epochs)


CASE = Case(
    source="stackoverflow.com/questions/41600519, with a made-up table",
    task="table, binary",
    faults=(either("small-batch", "unsuitable-optimizer", "too-few-epochs"),),
    faulty=lambda: program(torch.optim.RMSprop, batch_size=1, epochs=1),
    fixed=lambda: program(torch.optim.Adam, batch_size=64, epochs=30),
)
