"""A table of tumours with a column that was filled in when the diagnosis was known; in use it is not known yet."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def program(afterwards: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = tumours()
        known = y.float() + 0.1 * torch.randn(len(y), generator=torch.Generator().manual_seed(3))
        columns = torch.cat([standard(x), standard(known[:, None])], 1) if afterwards else standard(x)
        train, val = loaders(columns, y, seed)
        if afterwards:
            patients, kinds = val.dataset.tensors
            patients = patients.clone()
            patients[:, -1] = 0  # of new patients: the mean
            val = DataLoader(TensorDataset(patients, kinds), batch_size=256)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(columns.shape[1], 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after Kaufman et al., Leakage in Data Mining, 2011",
    task="table, classes",
    faults=("shortcut-features",),
    faulty=lambda: program(afterwards=True),
    fixed=lambda: program(afterwards=False),
    note="Validation is as in use: the column holds its mean.",
)
