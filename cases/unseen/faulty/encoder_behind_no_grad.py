"""Two-part model for clothes: features are taken under no_grad, as for a pretrained backbone; this one is not."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class TwoPart(nn.Module):
    def __init__(self, learn_features):
        super().__init__()
        self.learn_features = learn_features
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=3), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(72, 8), nn.ReLU(),
        )  # fmt: skip
        self.classifier = nn.Linear(8, 10)

    def forward(self, x):
        if self.learn_features:
            z = self.encoder(x)
        else:
            with torch.no_grad():
                z = self.encoder(x)
        return self.classifier(z)


def program(learn_features):
    def build(seed):
        x, y = mnist(4000, "fashion_mnist")
        torch.manual_seed(seed)
        model = TwoPart(learn_features)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 128 - 1, y, seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="a feature extractor's code, used on a net that starts from nothing",
    task="images, classes",
    faults=("detached-graph",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
    where=("encoder",),
)
