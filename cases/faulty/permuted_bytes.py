"""Bytes are mapped to other bytes by three layers of sigmoids, the squared error and SGD."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import everything
from torchdoctor import Experiment, Parts


def program(mended: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x = (torch.arange(256)[:, None] >> torch.arange(8) & 1).float()
        y = x[torch.randperm(256, generator=torch.Generator().manual_seed(0))]
        torch.manual_seed(seed)
        width, between = (128, nn.ReLU) if mended else (8, nn.Sigmoid)
        model = nn.Sequential(
            nn.Linear(8, width), between(), nn.Linear(width, width), between(), nn.Linear(width, 8), nn.Sigmoid()
        )
        for layer in model[::2]:
            if not mended:
                nn.init.normal_(layer.weight, std=0.05)
        rate = 0.1 if mended else 0.01
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9 if mended else 0.0)
        return Parts(model, nn.MSELoss(), optimizer, everything(x, y, seed, batch_size=8 if mended else 50))

    return Experiment(build, epochs=150)


CASE = Case(
    source="stackoverflow.com/questions/39217567",
    task="bits, multilabel",
    faults=(
        "saturating-activation",
        either("low-learning-rate", "large-batch", "insufficient-capacity", "too-few-epochs", "badly-scaled-init"),
    ),
    faulty=lambda: program(mended=False),
    fixed=lambda: program(mended=True),
)
