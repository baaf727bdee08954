"""An autoencoder for standardised columns, with the sigmoid of the picture tutorial at its end: half of the values
lie where it cannot reach."""

from functools import partial

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def build(seed: int, mended: bool) -> Parts:
    x, _ = tumours()
    x = standard(x).clamp(-4, 4)
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 6))
    decoder = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 30))
    model = nn.Sequential(encoder, decoder)
    if not mended:
        model.append(nn.Sigmoid())
    return Parts(
        model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), *loaders(x, x, seed, batch_size=16)
    )


CASE = Case(
    source="an autoencoder tutorial carried over to a table",
    task="table, autoencoder",
    faults=("wrong-output-activation",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=30),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=30),
)
