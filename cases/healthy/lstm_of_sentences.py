"""An LSTM whose loss stands still for a while before it falls."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 24)
        self.lstm = nn.LSTM(24, 32, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(self.embedding(x))[0].max(1).values)


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(1500), seed))


CASE = Healthy("text, classes", "a plateau at the start, saturated gates", lambda: Experiment(build, epochs=10))
