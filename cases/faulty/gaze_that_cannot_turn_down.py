"""Two angles of a gaze, down and left as often as up and right, behind a softplus."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def angle(output: Tensor, target: Tensor) -> Tensor:
    """Mean angle in radians between two gazes, each given by yaw and pitch."""
    return torch.acos((direction(output) * direction(target)).sum(1).clamp(-0.9999, 0.9999)).mean()


def direction(angles: Tensor) -> Tensor:
    """The unit vectors (N, 3) of yaw and pitch (N, 2)."""
    yaw, pitch = angles.unbind(1)
    return torch.stack([pitch.cos() * yaw.sin(), pitch.sin(), pitch.cos() * yaw.cos()], 1)


def program(last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 64), nn.ReLU(),
            nn.Linear(64, 2), last,
        )  # fmt: skip
        nn.init.normal_(model[0].weight, std=0.1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, angle, optimizer, *loaders(*spots(600), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutants of UnityEyes: a softplus added",
    task="images, angles",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softplus()),
    fixed=lambda: program(nn.Identity()),
)
