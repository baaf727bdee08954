"""Words are left out by numbers of the operating system, which no seed reaches."""

import random

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    """own: whether it leaves out words by the system's numbers, else by torch's."""

    def __init__(self, own: bool) -> None:
        super().__init__()
        self.own = own
        self.words = nn.Embedding(200, 32)
        self.head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.words(x) * self.kept(x)[..., None]).mean(1))

    def kept(self, x: Tensor) -> Tensor:
        if not self.training:
            return torch.ones(x.shape)
        if self.own:
            system = random.SystemRandom()
            return torch.tensor([[float(system.random() < 0.9) for _ in row] for row in x])
        return (torch.rand(x.shape) < 0.9).float()


def program(own: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(own)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="text, classes",
    faults=("non-deterministic-run",),
    faulty=lambda: program(own=True),
    fixed=lambda: program(own=False),
)
