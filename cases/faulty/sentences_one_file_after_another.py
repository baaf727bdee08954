"""Sentences are read from one file per class, in the order of the files."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    """The mean of the words' vectors, and a small network on it."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(200, 24)
        self.head = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.words(x).mean(1))


def program(shuffle: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*sentences(), seed, batch_size=16)
        x, y = train.dataset.tensors
        file_by_file = torch.argsort(y, stable=True)
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[file_by_file], y[file_by_file]), 16, shuffle=shuffle, generator=shuffling)
        torch.manual_seed(seed)
        model = Reader()
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=3e-3), train, val)

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after rafalschmidt97/rnn-practice",
    task="sequences, classes",
    faults=("unshuffled-training",),
    faulty=lambda: program(shuffle=False),
    fixed=lambda: program(shuffle=True),
)
