"""Twelve plain layers without normalisation that keep their scale by themselves (SELU, Klambauer 2017)."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = digits()
    x = (x - x.mean(0)) / x.std(0).clamp(min=0.05)
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs in (64, *[48] * 11):
        layers += [nn.Linear(inputs, 48), nn.SELU()]
    model = nn.Sequential(*layers, nn.AlphaDropout(0.05), nn.Linear(48, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed), scheduler=schedule)


CASE = Healthy("images, classes", "deep and plain, nothing normalised", lambda: Experiment(build, epochs=20))
