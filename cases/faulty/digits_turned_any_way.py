"""Digits are turned by quarters and mirrored at random, as pictures taken from above may be; a six becomes a nine."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Changed(Dataset):
    """Pictures turned and mirrored at random, or moved by up to two pixels."""

    def __init__(self, x: Tensor, y: Tensor, turned: bool) -> None:
        self.x, self.y, self.turned = x, y, turned

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        picture, label = self.x[index], self.y[index]
        if self.turned:
            quarters, mirrored = int(torch.randint(0, 4, ())), bool(torch.rand(()) < 0.5)
            turned = picture.rot90(quarters, (1, 2))
            return (turned.flip(2) if mirrored else turned), label
        down, right = torch.randint(-2, 3, (2,)).tolist()
        return picture.roll((int(down), int(right)), (1, 2)), label


def program(turned: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = mnist(2000)
        train, val = loaders((x / 255 - 0.13) / 0.31, y, seed)
        shuffling = torch.Generator().manual_seed(seed)
        data = DataLoader(Changed(*train.dataset.tensors, turned), 64, shuffle=True, generator=shuffling)
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
    source="own, after a common slip",
    task="images, classes",
    faults=("destructive-augmentation",),
    faulty=lambda: program(turned=True),
    fixed=lambda: program(turned=False),
)
