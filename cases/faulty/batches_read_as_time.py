"""An LSTM that was not told that the batch comes first: it reads one sample after the other as if they were moments."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.reader = nn.GRU(1, 24, batch_first=batch_first)
        self.output = nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.reader(x)[0][:, -1])


def program(batch_first: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(batch_first)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*waves(600, length=24), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after many questions of the kind",
    task="sequences, classes",
    faults=("mixed-batch",),
    faulty=lambda: program(batch_first=False),
    fixed=lambda: program(batch_first=True),
)
