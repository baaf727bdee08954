"""Some measurements are missing; the first batch that holds one turns every weight into NaN."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, penguins
from torchdoctor import Experiment, Parts


def program(filled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = penguins()
        present = x[~x.isnan().any(1)]
        x = (x - present.mean(0)) / present.std(0)
        if filled:
            x = x.nan_to_num(0.0)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed, batch_size=16))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own, on a real table with gaps",
    task="table, classes",
    faults=("non-finite-inputs",),
    faulty=lambda: program(filled=False),
    fixed=lambda: program(filled=True),
)
