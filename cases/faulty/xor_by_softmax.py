"""XOR with a softmax over the one output, the squared error and twenty epochs at 0.001."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import xor
from torchdoctor import Experiment, Parts


def program(last: nn.Module, lr: float, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = xor()
        x, y = torch.cat([x, x[1:3]]), torch.cat([y, y[1:3]])
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), last)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
        return Parts(model, nn.MSELoss(), optimizer, [(x, y)])

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="stackoverflow.com/questions/34311586",
    task="truth table, binary",
    faults=("wrong-output-activation", either("low-learning-rate", "too-few-epochs")),
    faulty=lambda: program(nn.Softmax(dim=1), lr=0.001, epochs=20),
    fixed=lambda: program(nn.Sigmoid(), lr=1.0, epochs=2000),
    where=("5",),
)
