"""The small net of a tutorial on digits, with SGD's 0.1 kept when SGD gave way to Adam."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class LeNetLike(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = self.conv2(self.conv1(x).relu()).relu().flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


def program(lr):
    def build(seed):
        torch.manual_seed(seed)
        net = LeNetLike()
        return Parts(
            net, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), lr=lr), *loaders(*digits(True), seed)
        )

    return Experiment(build, epochs=10)


CASE = Case(
    source="another optimizer's learning rate",
    task="images, classes",
    faults=("high-learning-rate",),
    faulty=lambda: program(0.1),
    fixed=lambda: program(0.002),
)
