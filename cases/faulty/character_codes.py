"""Three letters of a record enter the net as their character codes, 65 to 70."""

import torch
from torch import nn

from cases.case import Case
from cases.data import everything
from torchdoctor import Experiment, Parts


def records() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randint(65, 71, (21, 3), generator=torch.Generator().manual_seed(1)).float()
    return x, (x[:, :1] > x[:, 1:2]).float()


def program(scaled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = records()
        if scaled:
            x = (x - x.mean(0)) / x.std(0)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(3, 12), nn.ReLU(), nn.Linear(12, 3), nn.ReLU(), nn.Linear(3, 1), nn.Sigmoid())
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.BCELoss(), optimizer, everything(x, y, seed, batch_size=1))

    return Experiment(build, epochs=100)


CASE = Case(
    source="stackoverflow.com/questions/39525358",
    task="table, binary",
    faults=("unscaled-inputs",),
    faulty=lambda: program(scaled=False),
    fixed=lambda: program(scaled=True),
)
