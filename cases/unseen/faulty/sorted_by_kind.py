"""Clothes come sorted by class from a folder per class, and the loader was left with shuffle=False."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(1, 10, 3, stride=2, padding=1), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(10, 20, 3, stride=2, padding=1), nn.ReLU())
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(20 * 49, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.fc(self.block2(self.block1(x)))


def folders(shuffle, seed):
    x, y = mnist(4000, "fashion_mnist")
    x = x / 255
    order = y[:3000].argsort(stable=True)  # as ImageFolder reads them
    train = TensorDataset(x[:3000][order], y[:3000][order])
    shuffling = torch.Generator().manual_seed(seed)
    return (
        DataLoader(train, batch_size=50, shuffle=shuffle, generator=shuffling),
        DataLoader(TensorDataset(x[3000:], y[3000:]), batch_size=250),
    )


def program(shuffle):
    def build(seed):
        torch.manual_seed(seed)
        model = ConvNet()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *folders(shuffle, seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="DataLoader's default",
    task="images, classes",
    faults=("unshuffled-training",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
