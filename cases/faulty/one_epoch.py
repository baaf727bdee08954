"""A convolution net on pictures that was trained for a single epoch."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


def program(epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = cifar(2000)
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for channels_in, channels_out in ((3, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(channels_in, channels_out, 3), nn.ReLU(), nn.MaxPool2d(2)]
        model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 127.5 - 1, y, seed, batch_size=64))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant C2; mended, the original CIFAR-10 program",
    task="images, classes",
    faults=(either("too-few-epochs", "low-learning-rate"),),
    faulty=lambda: program(epochs=1),
    fixed=lambda: program(epochs=16),
    note="Twenty-four steps in all: there is little to see a trend in.",
)
