"""log_softmax in the model and NLLLoss after it, as the documentation shows."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = wine()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 3), nn.LogSoftmax(dim=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    return Parts(model, nn.NLLLoss(), optimizer, *loaders(standard(x), y, seed, batch_size=16))


CASE = Healthy("table, classes", "an activation before the loss", lambda: Experiment(build, epochs=20))
