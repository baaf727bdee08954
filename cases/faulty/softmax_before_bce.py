"""One random sample is to be learnt by heart: rows of a softmax go into BCEWithLogitsLoss, which has a floor then."""

import torch
from torch import nn

from cases.case import Case, either
from torchdoctor import Experiment, Parts


class Square(nn.Module):
    def __init__(self, normalise: bool) -> None:
        super().__init__()
        self.normalise = normalise
        self.body = nn.Sequential(nn.Linear(30, 20), nn.LeakyReLU(), nn.Linear(20, 9))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x).reshape(-1, 3, 3)
        return torch.softmax(x, dim=1) if self.normalise else x


def program(normalise: bool, lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        x = torch.rand(1, 30, generator=torch.Generator().manual_seed(0))
        torch.manual_seed(seed)
        model = Square(normalise)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, [(x, torch.eye(3)[None])])

    return Experiment(build, epochs=1500)


CASE = Case(
    source="discuss.pytorch.org/t/60203",
    task="one sample, multilabel",
    faults=("redundant-output-activation", either("low-learning-rate", "too-few-epochs")),
    faulty=lambda: program(normalise=True, lr=0.01),
    fixed=lambda: program(normalise=False, lr=0.5),
)
