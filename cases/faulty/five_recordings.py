"""Four recordings of 543 numbers to learn from, and a fifth to judge by."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


def program(n: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        numbers = torch.Generator().manual_seed(0)
        y = torch.arange(n) % 2
        x = torch.randn(n, 1, 543, generator=numbers) + 0.5 * y[:, None, None]
        model = nn.Sequential(nn.Conv1d(1, 8, 5, stride=2), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(536, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed, held_out=0.2))

    return Experiment(build, epochs=30 if n < 100 else 10)


CASE = Case(
    source="discuss.pytorch.org/t/150605",
    task="recordings, classes",
    faults=("too-few-samples",),
    faulty=lambda: program(5),
    fixed=lambda: program(500),
)
