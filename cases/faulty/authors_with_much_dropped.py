"""Who wrote the sentence? Dropout of 0.8 twice between the reader and its answer."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    """Word vectors, an LSTM, and three dense layers with dropout between them."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.words = nn.Embedding(200, 32)
        self.reader = nn.LSTM(32, 32, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(32, 64), nn.Dropout(p), nn.ReLU(), nn.Linear(64, 32), nn.Dropout(p), nn.ReLU(), nn.Linear(32, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.reader(self.words(x))[0][:, -1])


def program(p: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(p)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="discuss.pytorch.org/t/81063",
    task="sequences, classes",
    faults=("strong-dropout",),
    faulty=lambda: program(p=0.9),
    fixed=lambda: program(p=0.2),
    note="The post has 0.8; on so easy a task that still learns.",
)
