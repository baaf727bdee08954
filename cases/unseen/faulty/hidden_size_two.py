"""Digits read row by row by a recurrent net whose state has two numbers."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(width):
    def build(seed):
        torch.manual_seed(seed)
        x, y = digits(images=True)
        rows = x.squeeze(1)

        class Reader(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.RNN(8, width, batch_first=True)
                self.fc = nn.Linear(width, 10)

            def forward(self, rows):
                return self.fc(self.rnn(rows)[0][:, -1])

        model = Reader()
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(rows, y, seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="hidden_size=2, left from trying",
    task="sequences, classes",
    faults=(either("insufficient-capacity", "narrow-bottleneck"),),
    faulty=lambda: program(2),
    fixed=lambda: program(48),
    where=("rnn",),
)
