"""Training pictures are standardised, those of validation come as the reader gives them."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(alike: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        train, val = loaders(x, y, seed)
        (seen, labels), (kept, wanted) = train.dataset.tensors, val.dataset.tensors
        mean, std = seen.mean(), seen.std()
        numbers = torch.Generator().manual_seed(seed)
        shuffled = DataLoader(TensorDataset((seen - mean) / std, labels), 32, shuffle=True, generator=numbers)
        judged = DataLoader(TensorDataset((kept - mean) / std if alike else 16 * kept, wanted), 256)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, shuffled, judged)

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after many questions of the kind",
    task="images, classes",
    faults=("mismatched-splits",),
    faulty=lambda: program(alike=False),
    fixed=lambda: program(alike=True),
)
