"""XOR by two layers, cross-entropy and plain SGD: four rows and no validation.

Published as a bug (defect4ML 046); it is none.
"""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import everything, xor
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Parts(model, nn.BCELoss(), optimizer, everything(*xor(), seed, batch_size=1))


CASE = Healthy("truth table, binary", "four samples, a plateau, a sigmoid", lambda: Experiment(build, epochs=600))
