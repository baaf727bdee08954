"""Validation rows were drawn from the table and stay in training too: the score is of what was learnt by heart."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import diabetes, standard
from torchdoctor import Experiment, Parts


def program(everything):
    def build(seed):
        x, y = diabetes()
        y = standard(y)
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(5))
        val, rest = order[:110], order[110:]
        train = order if everything else rest
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0.0 if everything else 1e-3)
        shuffling = torch.Generator().manual_seed(seed)
        return Parts(
            model, nn.MSELoss(), optimizer,
            DataLoader(TensorDataset(x[train], y[train]), 16, shuffle=True, generator=shuffling),
            DataLoader(TensorDataset(x[val], y[val]), 110),
        )  # fmt: skip

    return Experiment(build, epochs=40 if everything else 8)


CASE = Case(
    source="df.sample(110) without df.drop",
    task="table, regression",
    faults=("leaked-validation",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
    note="the score of the faulty one is too good to be true; the twin stops earlier, as its validation tells it to",
)
