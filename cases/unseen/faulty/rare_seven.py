"""Is it a seven? Twenty of two thousand are; the mean loss lets the net answer 'no' to nearly all."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


def rare():
    x, y = mnist(6000)
    x, seven = x.flatten(1) / 255, (y == 7)
    few = torch.cat([torch.where(seven[:4000])[0][:24], torch.where(~seven[:4000])[0][:2000]])
    return TensorDataset(x[few], seven[few].float()), TensorDataset(x[4000:], seven[4000:].float())


def program(weight):
    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
        loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight))
        train, val = rare()
        shuffling = torch.Generator().manual_seed(seed)
        return Parts(
            model, loss, torch.optim.SGD(model.parameters(), lr=0.02),
            DataLoader(train, 32, shuffle=True, generator=shuffling), DataLoader(val, 500),
        )  # fmt: skip

    def balanced(model, loader):
        """Mean of the shares of sevens and of others that were told."""
        pairs = [(model(x) > 0, y > 0.5) for x, y in loader]
        guess, truth = (torch.cat(t) for t in zip(*pairs))
        return float((guess[truth].float().mean() + (~guess[~truth]).float().mean()) / 2)

    return Experiment(build, epochs=12, score=balanced)


CASE = Case(
    source="99 % accuracy that finds nothing",
    task="images, two classes",
    faults=("imbalanced-classes",),
    faulty=lambda: program(1.0),
    fixed=lambda: program(80.0),
)
