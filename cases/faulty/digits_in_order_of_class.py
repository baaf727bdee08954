"""Digits as a folder per class gives them, without shuffling: all zeros, then all ones."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(shuffle: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        train, val = loaders(x, y, seed, batch_size=32)
        inputs, labels = train.dataset.tensors
        by_class = torch.argsort(labels, stable=True)
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(inputs[by_class], labels[by_class]), 32, shuffle=shuffle, generator=shuffling)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(108, 48), nn.ReLU(),
            nn.Linear(48, 10),
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)

    return Experiment(build, epochs=12)


CASE = Case(
    source="discuss.pytorch.org/t/30385",
    task="images, classes",
    faults=("unshuffled-training",),
    faulty=lambda: program(shuffle=False),
    fixed=lambda: program(shuffle=True),
)
