"""Handwritten digits, turned by any quarter and mirrored for training, as one does with cells and satellites."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


class Digits(Dataset):
    """A (1, 28, 28) picture and its class; what is done to it is drawn anew each time."""

    def __init__(self, x, y, turns, seed=0):
        self.x, self.y, self.turns = x / 255, y, turns
        self.random = torch.Generator().manual_seed(seed)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        image = self.x[i]
        if self.turns:
            image = torch.rot90(image, int(torch.randint(4, (), generator=self.random)), (1, 2))
            if torch.rand((), generator=self.random) < 0.5:
                image = image.flip(2)
            image = image.roll(tuple(torch.randint(-9, 10, (2,), generator=self.random).tolist()), (1, 2))
        return image, self.y[i]


def program(turns):
    def build(seed):
        x, y = mnist(2400)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 16, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)
        )
        train = Digits(x[:2000], y[:2000], turns, seed)
        return Parts(
            model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3),
            DataLoader(train, 40, shuffle=True, generator=torch.Generator().manual_seed(seed)),
            DataLoader(Digits(x[2000:], y[2000:], False), 400),
        )  # fmt: skip

    return Experiment(build, epochs=6)


CASE = Case(
    source="a list of transforms from another kind of pictures",
    task="images, classes",
    faults=("destructive-augmentation",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
