"""Batches of one, as the perceptron had them; the loss jumps from sample to sample."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import iris, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = iris()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, batch_size=1))


CASE = Healthy("table, classes", "the noisiest gradients there are", lambda: Experiment(build, epochs=20))
