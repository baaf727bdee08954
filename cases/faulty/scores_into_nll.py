"""Raw scores go to NLLLoss, which expects logarithms of probabilities: the loss falls below zero and never stops."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, mended: bool) -> None:
        super().__init__()
        self.mended = mended
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 3), nn.Conv2d(16, 32, 3)
        self.fc1, self.fc2 = nn.Linear(128, 64), nn.Linear(64, 10)
        self.drop = nn.Dropout(0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = self.fc2(self.drop(F.relu(self.fc1(x.flatten(1)))))
        return F.log_softmax(x, dim=1) if self.mended else x


def program(mended: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Net(mended)
        optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
        return Parts(model, nn.NLLLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))

    return Experiment(build, epochs=6)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant M3",
    task="images, classes",
    faults=("missing-output-activation",),
    faulty=lambda: program(mended=False),
    fixed=lambda: program(mended=True),
)
