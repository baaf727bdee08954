"""log_softmax over dimension 0: the samples of a batch share out the probability among them."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.fc1, self.fc2 = nn.Linear(64, 64), nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=self.dim)


def program(dim: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Net(dim)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.NLLLoss(), optimizer, *loaders(*digits(), seed, batch_size=64))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after the warning that torch gave for softmax without a dimension",
    task="images, classes",
    faults=(either("mixed-batch", "wrong-output-activation"),),
    faulty=lambda: program(dim=0),
    fixed=lambda: program(dim=1),
)
