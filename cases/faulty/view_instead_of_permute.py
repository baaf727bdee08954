"""view() puts time first for an LSTM, and with that mixes words of different sentences."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, view: bool) -> None:
        super().__init__()
        self.view = view
        self.embedding = nn.Embedding(200, 24)
        self.lstm = nn.LSTM(24, 32)
        self.hidden = nn.Linear(32, 16)
        self.output = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embedding(x)  # (batch, time, 24)
        x = x.view(x.shape[1], x.shape[0], -1) if self.view else x.permute(1, 0, 2)
        return self.output(torch.relu(self.hidden(self.lstm(x)[0].mean(0))))


def program(view: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(view)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="discuss.pytorch.org/t/91826",
    task="text, classes",
    faults=("mixed-batch",),
    faulty=lambda: program(view=True),
    fixed=lambda: program(view=False),
)
