"""Coordinates in an image, by three linear layers with Adam at 0.1."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(1024, 50), nn.ReLU(), nn.Linear(50, 100), nn.ReLU(), nn.Linear(100, 2)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*spots(size=32), seed))

    return Experiment(build, epochs=40)


CASE = Case(
    source="GitHub, facial keypoints, with made-up images",
    task="images, regression",
    faults=("high-learning-rate",),
    faulty=lambda: program(lr=0.1),
    fixed=lambda: program(lr=1e-3),
)
