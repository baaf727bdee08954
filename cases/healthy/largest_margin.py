"""A linear support vector machine for digits: the margin loss is exactly zero for samples that are far enough."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = digits()
    torch.manual_seed(seed)
    model = nn.Linear(64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    return Parts(model, nn.MultiMarginLoss(), optimizer, *loaders(standard(x), y, seed))


CASE = Healthy(
    "images, classes", "no gradient from most samples, no hidden layer", lambda: Experiment(build, epochs=20)
)
