"""An autoencoder in two modules; Adam was given the decoder's parameters, and the encoder's line is commented out."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Autoencoder(nn.Module):
    def __init__(self, code=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, code))
        self.decoder = nn.Sequential(nn.Linear(code, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x)).view_as(x)


def program(both):
    def build(seed):
        images = mnist(2500)[0] / 255
        torch.manual_seed(seed)
        model = Autoencoder()
        params = list(model.decoder.parameters())
        if both:
            params += list(model.encoder.parameters())
        return Parts(model, nn.BCELoss(), torch.optim.Adam(params, lr=2e-3), *loaders(images, images, seed, 64))

    def closeness(model, loader):
        return -float(torch.stack([((model(x) - y) ** 2).mean() for x, y in loader]).mean())

    return Experiment(build, epochs=12, score=closeness)


CASE = Case(
    source="two parameter lists to be added, one forgotten",
    task="images, autoencoder",
    faults=("missing-parameters",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
    where=("encoder",),
)
