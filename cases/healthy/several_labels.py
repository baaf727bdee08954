"""Several topics at once: eight yes-or-no answers a document, most of them no."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    (a, first), (b, second) = topics(1500, 300, 8, seed=0), topics(1500, 300, 8, seed=0)
    other = torch.randperm(1500, generator=torch.Generator().manual_seed(1))
    x = torch.maximum(a, b[other])
    y = torch.zeros(1500, 8).scatter_(1, first[:, None], 1.0).scatter_(1, second[other][:, None], 1.0)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(300, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y, seed))


CASE = Healthy("text, multilabel", "targets that are mostly zero", lambda: Experiment(build, epochs=12))
