"""Authors of texts: an LSTM, dropout of 0.8, Adam at 0.01 and a softmax before CrossEntropyLoss."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Authors(nn.Module):
    def __init__(self, drop: float, normalise: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.lstm = nn.LSTM(32, 32, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(32, 128),
            nn.Dropout(drop),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.Dropout(drop),
            nn.ReLU(),
            nn.Linear(64, 3),
        )
        self.normalise = normalise

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.head(self.lstm(self.embedding(x))[0][:, -1])
        return torch.softmax(x, dim=1) if self.normalise else x


def program(drop: float, lr: float, normalise: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Authors(drop, normalise)
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="discuss.pytorch.org/t/81063",
    task="text, classes",
    faults=("redundant-output-activation", "strong-dropout", "high-learning-rate"),
    faulty=lambda: program(0.8, 0.01, normalise=True),
    fixed=lambda: program(0.2, 0.003, normalise=False),
)
