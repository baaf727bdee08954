"""A convolution over a time series, yes or no, with a softmax where a sigmoid belongs."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 20, 4, padding="same")
        self.hidden = nn.Linear(400, 50)
        self.output = nn.Linear(50, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x.transpose(1, 2)))
        x = nn.functional.dropout(nn.functional.max_pool1d(x, 2), 0.3, self.training)
        return self.squash(self.output(torch.relu(self.hidden(x.flatten(1)))))

    def squash(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x, dim=1)


class Mended(Detector):
    def squash(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)


def program(network: type[Detector]) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = waves(classes=2)
        torch.manual_seed(seed)
        model = network()
        optimizer = torch.optim.NAdam(model.parameters())
        return Parts(model, nn.BCELoss(), optimizer, *loaders(x, y.float()[:, None], seed, batch_size=8))

    return Experiment(build, epochs=8)


CASE = Case(
    source="stackoverflow.com/questions/51749207",
    task="sequences, binary",
    faults=("wrong-output-activation",),
    faulty=lambda: program(Detector),
    fixed=lambda: program(Mended),
)
