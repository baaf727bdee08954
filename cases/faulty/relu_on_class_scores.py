"""A digit classifier whose class scores pass through a ReLU, on pixels as they are stored."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, mended: bool) -> None:
        super().__init__()
        self.mended = mended
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 5, padding=2)
        self.fc1 = nn.Linear(16 * 49, 64)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.fc2(self.drop(F.relu(self.fc1(x.flatten(1)))))
        return x if self.mended else F.relu(x)


def program(mended: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = mnist()
        torch.manual_seed(seed)
        model = Net(mended)
        train = loaders(x / 255 if mended else x, y, seed, batch_size=50)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), *train)

    return Experiment(build, epochs=5)


CASE = Case(
    source="stackoverflow.com/questions/47352366",
    task="images, classes",
    faults=("wrong-output-activation", "unscaled-inputs"),
    faulty=lambda: program(mended=False),
    fixed=lambda: program(mended=True),
)
