"""Four sensors' oscillations (N, time, channels) become (N, channels, time) by reshape: a channel holds bits of all."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class ConvClassifier(nn.Module):
    def __init__(self, reshape):
        super().__init__()
        self.reshape = reshape
        self.net = nn.Sequential(
            nn.Conv1d(4, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 3),
        )  # fmt: skip

    def forward(self, x):
        n, time, channels = x.shape
        x = x.reshape(n, channels, time) if self.reshape else x.permute(0, 2, 1)
        return self.net(x)


def sensors():
    """Which of four sensors oscillates slowest is in the order of their columns, not in their mixture."""
    slow, kind = waves(1200, classes=3)
    random = torch.Generator().manual_seed(1)
    noise = 0.7 * torch.randn(len(slow), 40, 4, generator=random)
    for row, k in zip(noise, kind):
        row[:, k] += slow[int(torch.randint(len(slow), (), generator=random)), :, 0]
    return noise, kind


def program(reshape):
    def build(seed):
        torch.manual_seed(seed)
        model = ConvClassifier(reshape)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sensors(), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="reshape where permute was meant",
    task="series, classes",
    faults=("swapped-dimensions",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
