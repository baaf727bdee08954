"""An all-convolutional net on clothes that returns probabilities to a loss that takes their softmax again."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Classifier(nn.Module):
    def __init__(self, probabilities):
        super().__init__()
        self.probabilities = probabilities
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, 2, 1), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 10, 7)
        )

    def forward(self, x):
        scores = self.features(x).flatten(1)
        if self.probabilities:
            return torch.softmax(scores, dim=1)
        return scores


def program(probabilities):
    def build(seed):
        x, y = mnist(2500, "fashion_mnist")
        torch.manual_seed(seed)
        model = Classifier(probabilities)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - 73) / 90, y, seed, 64))

    return Experiment(build, epochs=6)


CASE = Case(
    source="carried over from Keras, where the last layer has its softmax",
    task="images, classes",
    faults=("redundant-output-activation",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
