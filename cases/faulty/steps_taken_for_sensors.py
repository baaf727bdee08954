"""A convolution over time is handed (N, steps, sensors) and takes the steps for its channels."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


def program(transposed: bool) -> Experiment:
    def build(seed: int) -> Parts:
        wave, y = waves()
        noise = 0.3 * torch.randn(wave.shape, generator=torch.Generator().manual_seed(0))
        x = torch.cat([wave, wave.flip(0) + noise, wave.roll(1, 0)], 2)  # two sensors have nothing to do with the class
        torch.manual_seed(seed)
        first = nn.Conv1d(3, 24, 7) if transposed else nn.Conv1d(40, 24, 3)
        model = nn.Sequential(first, nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(24, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x.mT.contiguous() if transposed else x, y, seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after forum threads on Conv1d's channels",
    task="sequences, classes",
    faults=("swapped-dimensions",),
    faulty=lambda: program(transposed=False),
    fixed=lambda: program(transposed=True),
    where=("0",),
)
