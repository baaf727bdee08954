"""The data set divides pixels by 255, and the loop's collate function does it once more."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(divisor: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = mnist(1500, "fashion_mnist")
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / divisor, y, seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after a common slip with ToTensor",
    task="images, classes",
    faults=("unscaled-inputs",),
    faulty=lambda: program(255 * 255),
    fixed=lambda: program(255),
)
