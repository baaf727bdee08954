"""The outputs of every batch are kept in a list, for a plot that was never drawn."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Scores(nn.Module):
    """Word vectors through a wide layer: a score for each word and class, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(200, 32)
        self.wide = nn.Sequential(nn.Linear(32, 640), nn.ReLU(), nn.Linear(640, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(self.words(x)).mean(1)


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Scores()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))


def fit(parts: Parts, log: Log, keep: bool = True) -> None:
    seen = []
    for _ in range(log.epochs):
        for x, y in parts.train:
            output = parts.model(x)
            parts.optimizer.zero_grad()
            parts.loss_fn(output, y).backward(retain_graph=keep)
            parts.optimizer.step()
            seen.append(output if keep else output.detach())


CASE = Case(
    source="own, after a common slip",
    task="sequences, classes",
    faults=("growing-memory",),
    faulty=lambda: Experiment(build, epochs=16, fit=fit),
    fixed=lambda: Experiment(build, epochs=16, fit=lambda parts, log: fit(parts, log, keep=False)),
)
