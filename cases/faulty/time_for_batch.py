"""An LSTM without batch_first is fed (batch, time, features): sample reads on where the one before it ended."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class RowReader(nn.Module):
    """Reads a digit row by row."""

    def __init__(self, batch_first):
        super().__init__()
        self.lstm = nn.LSTM(28, 48, batch_first=batch_first)
        self.fc = nn.Linear(48, 10)

    def forward(self, image):
        out, _ = self.lstm(image.squeeze(1))
        return self.fc(out[:, -1])


def program(batch_first):
    def build(seed):
        x, y = mnist(3000)
        torch.manual_seed(seed)
        model = RowReader(batch_first)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))

    return Experiment(build, epochs=5)


CASE = Case(
    source="the default of nn.LSTM",
    task="sequences, classes",
    faults=("mixed-batch",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
