"""Clothes, mirrored and shifted at random: training looks harder than validation."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from cases.case import Healthy
from cases.data import mnist
from torchdoctor import Experiment, Parts


class Augmented(Dataset):
    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = nn.functional.pad(x, (2, 2, 2, 2)), y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        (top, left), mirrored = torch.randint(5, (2,)).tolist(), torch.rand(()) < 0.5
        picture = self.x[i, :, top : top + 28, left : left + 28]
        return (picture.flip(2) if mirrored else picture), self.y[i]


def build(seed: int) -> Parts:
    x, y = mnist(2000, "fashion_mnist")
    x = x / 255
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(1568, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(Augmented(x[:1500], y[:1500]), 32, shuffle=True, generator=shuffling)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(TensorDataset(x[1500:], y[1500:]), 250))


CASE = Healthy("images, classes", "no picture comes twice", lambda: Experiment(build, epochs=8))
