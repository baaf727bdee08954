"""A convolution net with swish that returns probabilities to CrossEntropyLoss."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 16, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(128, 64), nn.SiLU(), nn.Linear(64, 10), *last,
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="discuss.pytorch.org/t/100611",
    task="images, classes",
    faults=("redundant-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=program,
    where=("12",),
)
