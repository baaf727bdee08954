"""model.apply(init) with nn.init.normal_ at its default standard deviation of one, on a net of five layers."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight)
        nn.init.zeros_(m.bias)


def program(own):
    def build(seed):
        x, y = mnist(2500, "fashion_mnist")
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh(),
            nn.Linear(100, 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh(), nn.Linear(100, 10),
        )  # fmt: skip
        if own:
            model.apply(weights_init)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - 73) / 90, y, seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="nn.init.normal_",
    task="images, classes",
    faults=("badly-scaled-init",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
