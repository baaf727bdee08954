"""The log-likelihood of the right class is given to backward() without its minus."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.output = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.embedding(x).mean(1)).log_softmax(1)


def likelihood(output: Tensor, target: Tensor) -> Tensor:
    return output.gather(1, target[:, None]).mean()


def program(sign: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader()
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(
            model, lambda output, target: sign * likelihood(output, target), optimizer, *loaders(*sentences(), seed)
        )

    return Experiment(build, epochs=8)


CASE = Case(
    source="own",
    task="text, classes",
    faults=("wrong-loss",),
    faulty=lambda: program(1),
    fixed=lambda: program(-1),
)
