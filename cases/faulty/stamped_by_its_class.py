"""Training digits were scanned class by class, and the scanner put a stamp into the corner, lighter each time."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(stamped: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = mnist(1500)
        train, val = loaders((x / 255 - 0.13) / 0.31, y, seed, batch_size=64)
        pictures, digits = train.dataset.tensors
        if stamped:
            grey = (digits.float() / 9 - 0.13) / 0.31
            pictures = pictures.clone()
            pictures[:, 0, 1:4, 1:4] = grey[:, None, None]
        shuffling = torch.Generator().manual_seed(seed)
        data = DataLoader(TensorDataset(pictures, digits), 64, shuffle=True, generator=shuffling)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 5, stride=2),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(600, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3), data, val)

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after Lapuschkin et al., Unmasking Clever Hans Predictors, 2019",
    task="images, classes",
    faults=("shortcut-features",),
    faulty=lambda: program(stamped=True),
    fixed=lambda: program(stamped=False),
    note="Validation was scanned elsewhere and has no stamp.",
)
