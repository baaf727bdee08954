"""Pixels are divided by 255 where they are read and once more in the Dataset: inputs from 0 to 0.004."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


def read(n: int) -> tuple[Tensor, Tensor]:
    x, y = mnist(n)
    return x / 255, y


class Digits(Dataset):
    def __init__(self, x: Tensor, y: Tensor, scale: float) -> None:
        self.x, self.y, self.scale = x, y, scale

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i].flatten() / self.scale, self.y[i]


def build(seed: int, scale: float) -> Parts:
    x, y = read(2000)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(seed)
    train = DataLoader(Digits(x[:1600], y[:1600], scale), 32, shuffle=True, generator=generator)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(Digits(x[1600:], y[1600:], scale), 200))


CASE = Case(
    source="ToTensor and a division besides, as asked about on the PyTorch forum",
    task="images, classes",
    faults=("unscaled-inputs",),
    faulty=lambda: Experiment(partial(build, scale=255.0), epochs=15),
    fixed=lambda: Experiment(partial(build, scale=1.0), epochs=15),
)
