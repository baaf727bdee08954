"""One sample in twenty is positive, weighted up in the loss."""

import torch
from sklearn.datasets import make_classification
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = make_classification(2500, 12, n_informative=6, weights=[0.95], class_sep=1.5, flip_y=0, random_state=3)
    x, y = standard(torch.tensor(x, dtype=torch.float32)), torch.tensor(y, dtype=torch.float32)[:, None]
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([10.0]))
    return Parts(model, loss_fn, optimizer, *loaders(x, y, seed, batch_size=64))


CASE = Healthy("table, binary", "classes far from equal", lambda: Experiment(build, epochs=15))
