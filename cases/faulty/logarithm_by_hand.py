"""Binary cross-entropy is written out by hand, and the network becomes sure of itself."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def by_hand(output: Tensor, target: Tensor) -> Tensor:
    p = torch.sigmoid(output)
    return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()


def program(loss_fn: object) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = tumours()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, loss_fn, optimizer, *loaders(standard(x), y.float()[:, None], seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after DEFECT4ML and TensorFlow programs with logarithms by hand",
    task="table, binary",
    faults=("unstable-loss",),
    faulty=lambda: program(by_hand),
    fixed=lambda: program(nn.BCEWithLogitsLoss()),
)
