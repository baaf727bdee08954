"""Two boxes of points that a line could part; a net of two sigmoids, Adam at 0.001 and five epochs."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(0)
        low, high = torch.rand(100, 2, generator=numbers), torch.rand(100, 2, generator=numbers)
        x, y = torch.cat([0.2 + 0.2 * low, 0.5 + 0.2 * high]), torch.arange(200) // 100
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=5)


CASE = Case(
    source="stackoverflow.com/questions/50306988",
    task="table, binary",
    faults=(either("low-learning-rate", "too-few-epochs"),),
    faulty=lambda: program(lr=0.001),
    fixed=lambda: program(lr=0.1),
)
