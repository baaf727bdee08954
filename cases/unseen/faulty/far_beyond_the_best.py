"""A wide net on 120 patients for 150 epochs, without looking at the validation loss, which turned at the tenth."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case, either
from cases.data import diabetes, standard
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = diabetes()
    y = standard(y)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    shuffling = torch.Generator().manual_seed(seed)
    return Parts(
        model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3),
        DataLoader(TensorDataset(x[:120], y[:120]), 16, shuffle=True, generator=shuffling),
        DataLoader(TensorDataset(x[120:], y[120:]), 322),
    )  # fmt: skip


CASE = Case(
    source="a big round number of epochs",
    task="table, regression",
    faults=(either("too-many-epochs", "weak-regularization"),),
    faulty=lambda: Experiment(build, epochs=150),
    fixed=lambda: Experiment(build, epochs=8),
)
