"""Regression on a table: the scaler was fitted and applied to training, and forgotten for validation."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(alike: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes(scaled=False)
        train, val = loaders(x, standard(y), seed)
        (seen, amounts), (kept, wanted) = train.dataset.tensors, val.dataset.tensors
        mean, std = seen.mean(0), seen.std(0)
        numbers = torch.Generator().manual_seed(seed)
        shuffled = DataLoader(TensorDataset((seen - mean) / std, amounts), 32, shuffle=True, generator=numbers)
        judged = DataLoader(TensorDataset((kept - mean) / std if alike else kept, wanted), 256)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=0.01)
        return Parts(model, nn.MSELoss(), optimizer, shuffled, judged)

    return Experiment(build, epochs=20)


CASE = Case(
    source="own, after many questions of the kind",
    task="table, regression",
    faults=("mismatched-splits",),
    faulty=lambda: program(alike=False),
    fixed=lambda: program(alike=True),
)
