"""An LSTM over messages by plain SGD at its textbook rate of 0.01."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.lstm = nn.LSTM(32, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, tokens):
        states, _ = self.lstm(self.embedding(tokens))
        return self.fc(states.mean(1))


def program(optimizer):
    def build(seed):
        torch.manual_seed(seed)
        model = Lstm()
        return Parts(model, nn.CrossEntropyLoss(), optimizer(model.parameters()), *loaders(*sentences(1200), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="an optimizer chosen by habit",
    task="text, classes",
    faults=(either("unsuitable-optimizer", "low-learning-rate"),),
    faulty=lambda: program(lambda parameters: torch.optim.SGD(parameters, lr=0.01)),
    fixed=lambda: program(lambda parameters: torch.optim.Adam(parameters, lr=5e-3)),
)
