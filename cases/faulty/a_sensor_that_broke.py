"""In six windows of a forecast the sensor reads thousands, where it else reads between -2 and 2."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


def program(broken: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = next_values()
        x = x.clone()
        x[100 : 100 + broken, 5:9] = 4000.0
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=(either("outlying-samples", "unscaled-inputs"),),
    faulty=lambda: program(broken=6),
    fixed=lambda: program(broken=0),
)
