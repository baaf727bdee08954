"""A language model of letters whose output layer is its embedding."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import letters
from torchdoctor import Experiment, Parts


class Writer(nn.Module):
    def __init__(self, letters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, 64)
        self.gru = nn.GRU(64, 64, batch_first=True)
        self.output = nn.Linear(64, letters)
        self.output.weight = self.embedding.weight
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.gru(self.embedding(x))[0])


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(output.flatten(0, 1), target.flatten())


def build(seed: int) -> Parts:
    text, count = letters()
    windows = text.unfold(0, 33, 16)
    x, y = windows[:, :-1], windows[:, 1:]
    torch.manual_seed(seed)
    model = Writer(count)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train = [(x[rows], y[rows]) for rows in order[:768].split(32)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
    return Parts(model, cross_entropy, optimizer, train, [(x[order[768:]], y[order[768:]])], schedule)


CASE = Healthy("text, language model", "one parameter under two names", lambda: Experiment(build, epochs=12))
